import { elemFlags } from '@tsbpf/uapi'
import { failure, mapFreeze, objPin } from '@tsbpf/sys'
import type { PinOptions, Sys } from '@tsbpf/sys'
import { readColumns } from './columns.ts'
import type { MapColumns } from './columns.ts'
import { deleteMany, getMany, lookupAndDeleteMany, setMany } from './many.ts'
import { MapAccess } from './map-access.ts'
import type { ElementCodecs } from './map-access.ts'
import { readMapInfo } from './map-info.ts'
import type { MapInfo } from './map-info.ts'
import { openMemory } from './map-memory.ts'
import type { MapMemory, MapMemoryOptions } from './map-memory.ts'
import type { MapShape } from './map-shape.ts'
import type { MapOperations } from './operations.ts'
import { pinPath, unpin } from './pin.ts'
import type { PinPlace } from './pin.ts'
import { walk } from './walk.ts'

const ENOENT = failure('ENOENT')

/** Options of {@link BpfMap.get}. */
export interface GetOptions {
  /** Holds the value's `struct bpf_spin_lock` meanwhile, so that it is not torn (BPF_F_LOCK, kernel 5.1). */
  readonly lock?: boolean
}

/** Options of {@link BpfMap.set}. */
export interface SetOptions extends GetOptions {
  /** `noexist`: only a new key; `exist`: only one that is there; `any` unless given. */
  readonly flags?: 'any' | 'noexist' | 'exist'
}

/** Options of {@link BpfMap.push}. */
export interface PushOptions {
  /** Drops the oldest element of a queue or stack that is full, instead of MAP_FULL (BPF_EXIST). */
  readonly overwrite?: boolean
}

const has = {
  get: ({ get, key }: MapOperations): boolean => get && key !== 'none',
  set: ({ set, key }: MapOperations): boolean => set && key !== 'none',
  delete: (one: MapOperations): boolean => one.delete,
  lookupAndDelete: ({ lookupAndDelete, key }: MapOperations): boolean => lookupAndDelete && key !== 'none',
  push: ({ set, key }: MapOperations): boolean => set && key === 'none',
  peek: ({ get, lookupAndDelete, key }: MapOperations): boolean => get && lookupAndDelete && key === 'none',
  pop: ({ lookupAndDelete, key }: MapOperations): boolean => lookupAndDelete && key === 'none',
  hasValue: ({ get, lookupAndDelete, key }: MapOperations): boolean =>
    get && !lookupAndDelete && key === 'none',
}

/**
 * A live BPF map that behaves like a JavaScript `Map`.
 *
 * Keys and values go through its codecs: types of the object's BTF, a codec that was given, or bytes. Values that
 * are returned are the caller's own. It owns its descriptor: `dispose` closes it, and use after that is
 * MAP_DISPOSED. Calls are synchronous system calls, below two microseconds each. An operation that the map's type does
 * not have is MAP_UNSUPPORTED_OPERATION; {@link mapOperations} has the table.
 *
 * Iteration is safe while the map changes. It reads in batches where the kernel can (5.6 for hash and array maps): an
 * entry that stays is seen once; one that comes or goes meanwhile may be seen or not. Without batches, and for LPM
 * tries, the kernel starts again at the first key when the key under the walk is deleted: then the walk ends with
 * MAP_ITERATION_CUT_SHORT. It also uses the memory of deleted entries again at once (kernel/bpf/hashtab.c): such a walk
 * of a hash from which programs delete at the same moment may, seldom and unnoticed, pass over entries, or give one that
 * was deleted the value of another. Deleting the entry that the loop has just got is always safe.
 */
export class BpfMap<K = unknown, V = unknown> implements Iterable<[K, V]>, Disposable {
  readonly name: string
  /** Kernel spelling in lower case: `percpu_array`. */
  readonly type: string
  readonly keySize: number
  /** Bytes; of one processor's value in a per-CPU map. */
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly #map: MapAccess<K, V>

  /** Takes over `fd`; use {@link createMap} or {@link openMap}. */
  constructor(sys: Sys, fd: number, shape: MapShape, codecs: ElementCodecs<K, V>) {
    this.name = shape.name
    this.type = shape.type
    this.keySize = shape.keySize
    this.valueSize = shape.valueSize
    this.maxEntries = shape.maxEntries
    this.flags = shape.flags
    this.#map = new MapAccess(sys, fd, shape, codecs)
  }

  /** The descriptor; it stays this map's own. */
  get fd(): number {
    return this.#map.fd
  }

  /** Entries, where the type fixes their number (arrays); `undefined` where only counting tells: {@link count}. */
  get size(): number | undefined {
    return this.#map.operations?.walk === 'index' ? this.maxEntries : undefined
  }

  /** The value under `key`, or `undefined`. */
  get(key: K, options?: GetOptions): V | undefined {
    return this.#lookup('get', key, options)
      ? this.#map.codecs.value.decode(this.#map.valueView, 0)
      : undefined
  }

  /** True where `key` has a value. */
  has(key: K): boolean {
    return this.#lookup('has', key)
  }

  /**
   * Stores `value` under `key`, atomically for readers of other keys; the value itself may be torn for readers of this
   * one, unless all hold its lock.
   */
  set(key: K, value: V, options?: SetOptions): this {
    const map = this.#map
    map.can('set', has.set)
    map.putKey(key, map.elements.key, 0)
    map.putValue(key, value, map.elements.value, 0)
    const result = map.elements.update(options === undefined ? 0 : setFlag(options) | lockFlag(options))
    if (result < 0) throw map.refused('set', key, result)
    return this
  }

  /** Deletes the entry of `key`; false where there was none. */
  delete(key: K): boolean {
    const map = this.#map
    map.can('delete', has.delete)
    map.putKey(key, map.elements.key, 0)
    const result = map.elements.delete()
    if (result === 0) return true
    // What the slot of an index holds is cleared; the kernel says EINVAL for one that a socket map leaves empty.
    if (result === ENOENT) return false
    throw map.refused('delete', key, result)
  }

  /** Takes the entry of `key` out in one step (hash maps, kernel 5.14); `undefined` where there was none. */
  lookupAndDelete(key: K, options?: GetOptions): V | undefined {
    const map = this.#map
    map.can('lookupAndDelete', has.lookupAndDelete)
    map.putKey(key, map.elements.key, 0)
    const result = map.elements.lookupAndDelete(lockFlag(options))
    if (result === 0) return map.codecs.value.decode(map.valueView, 0)
    if (result === ENOENT) return undefined
    throw map.refused('lookupAndDelete', key, result)
  }

  /** Appends a value to a queue, stack or Bloom filter. */
  push(value: V, options: PushOptions = {}): this {
    const map = this.#map
    map.can('push', has.push)
    map.putValue(undefined, value, map.elements.value, 0)
    const flags = elemFlags.value(options.overwrite === true ? 'exist' : 'any')
    const result = map.elements.update(flags)
    if (result < 0) throw map.refused('push', undefined, result)
    return this
  }

  /** Takes the next value out: the oldest of a queue, the newest of a stack; `undefined` where it is empty. */
  pop(): V | undefined {
    this.#map.can('pop', has.pop)
    return this.#next('pop', this.#map.elements.lookupAndDelete())
  }

  /** The value that {@link pop} would give. */
  peek(): V | undefined {
    this.#map.can('peek', has.peek)
    return this.#next('peek', this.#map.elements.lookup())
  }

  /** Whether a Bloom filter may hold the value: false is certain, true may be wrong. */
  hasValue(value: V): boolean {
    const map = this.#map
    map.can('hasValue', has.hasValue)
    map.putValue(undefined, value, map.elements.value, 0)
    const result = map.elements.lookup()
    if (result === 0 || result === ENOENT) return result === 0
    throw map.refused('hasValue', undefined, result)
  }

  /** Entries there are, by walking the map. */
  count(): number {
    let total = 0
    const entries = walk(this.#map, () => undefined)
    while (entries.next().done !== true) total++
    return total
  }

  /** Keys and values; see the class about changes meanwhile. */
  entries(): IterableIterator<[K, V]> {
    const { key, value } = this.#map.codecs
    return walk(this.#map, (keys, keyAt, values, valueAt): [K, V] => [
      key.decode(keys, keyAt),
      value.decode(values, valueAt),
    ])
  }

  keys(): IterableIterator<K> {
    const { key } = this.#map.codecs
    return walk(this.#map, (keys, keyAt) => key.decode(keys, keyAt))
  }

  values(): IterableIterator<V> {
    const { value } = this.#map.codecs
    return walk(this.#map, (_keys, _keyAt, values, valueAt) => value.decode(values, valueAt))
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** All entries as bytes in two buffers: the fastest way to read a large map. */
  columns(): MapColumns {
    return readColumns(this.#map)
  }

  /** All entries at one time, more or less: as `new Map(map)`, several times as fast. Keys are as the codec has them. */
  toMap(): Map<K, V> {
    const { count, keys, values } = readColumns(this.#map)
    const { keySize, valueSize } = this.#map.sizes
    const { key, value } = this.#map.codecs
    const keysView = new DataView(keys.buffer, keys.byteOffset, keys.byteLength)
    const valuesView = new DataView(values.buffer, values.byteOffset, values.byteLength)
    const entries = new Map<K, V>()
    for (let i = 0; i < count; i++) {
      entries.set(key.decode(keysView, i * keySize), value.decode(valuesView, i * valueSize))
    }
    return entries
  }

  /** The values of many keys, in their order: a system call each, but hundreds of them in one crossing. */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    return getMany(this.#map, keys)
  }

  /**
   * Stores many entries (BPF_MAP_UPDATE_BATCH, kernel 5.6, else one by one) and returns how many. Those before one that
   * is refused are stored.
   */
  setMany(entries: Iterable<readonly [K, V]>, options: SetOptions = {}): number {
    return setMany(this.#map, entries, setFlag(options), options.lock === true)
  }

  /** Deletes the entries of many keys (BPF_MAP_DELETE_BATCH, kernel 5.6) and returns how many were there. */
  deleteMany(keys: Iterable<K>): number {
    return deleteMany(this.#map, keys)
  }

  /** Takes all entries out (BPF_MAP_LOOKUP_AND_DELETE_BATCH, kernel 5.6): none is lost that a program adds meanwhile. */
  lookupAndDeleteMany(): [K, V][] {
    return lookupAndDeleteMany(this.#map)
  }

  /** What the kernel says about the map. */
  info(): MapInfo {
    return readMapInfo(this.#map.sys, this.#map.fd)
  }

  /**
   * Maps an array made with BPF_F_MMAPABLE (kernel 5.5), or an arena, into memory: what programs write is there at
   * once. Throws MAP_MEMORY where the kernel refuses.
   */
  memory(options?: MapMemoryOptions): MapMemory<V> {
    return openMemory(this.#map, options)
  }

  /** Forbids changes from user space for good (BPF_MAP_FREEZE, kernel 5.2). Throws `SyscallError`. */
  freeze(): void {
    mapFreeze(this.#map.sys, this.#map.fd)
  }

  /**
   * Gives the map a path in a BPF file system, which keeps it alive until {@link unpin}, and returns the path.
   * With `untilEnd` the path is removed when this process ends, unless it is killed. Throws MAP_PIN_NAME and `SyscallError`.
   */
  pin(where: PinPlace, options: PinOptions = {}): string {
    const path = pinPath(this.name, where)
    objPin(this.#map.sys, path, this.#map.fd, options)
    return path
  }

  /** Removes a path of this map. Throws MAP_PIN_OTHER where another map has it, MAP_PIN_NAME and `SyscallError`. */
  unpin(where: PinPlace): void {
    unpin(this.#map.sys, this.#map.fd, this.name, pinPath(this.name, where))
  }

  /** Closes the descriptor; the kernel keeps the map while programs use it. A second call does nothing. */
  dispose(): void {
    this.#map.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #lookup(operation: string, key: K, options?: GetOptions): boolean {
    const map = this.#map
    map.can(operation, has.get)
    map.putKey(key, map.elements.key, 0)
    const result = map.elements.lookup(lockFlag(options))
    if (result === 0) return true
    if (result === ENOENT) return false
    throw map.refused(operation, key, result)
  }

  #next(operation: string, result: number): V | undefined {
    if (result === 0) return this.#map.codecs.value.decode(this.#map.valueView, 0)
    if (result === ENOENT) return undefined
    throw this.#map.refused(operation, undefined, result)
  }
}

function setFlag({ flags = 'any' }: SetOptions): number {
  return elemFlags.value(flags)
}

function lockFlag(options: GetOptions | undefined): number {
  return options?.lock === true ? elemFlags.value('lock') : 0
}
