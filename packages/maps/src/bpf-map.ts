import { elemFlags } from '@tsbpf/uapi'
import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { errnoName, failure, mapElements, mapFreeze } from '@tsbpf/sys'
import type { MapElements, Sys } from '@tsbpf/sys'
import { openBatch } from './batch.ts'
import type { BatchReader } from './batch.ts'
import type { ElementCodec } from './element-codec.ts'
import { errors } from './errors.ts'
import { readMapInfo } from './map-info.ts'
import type { MapInfo } from './map-info.ts'
import type { MapShape } from './map-shape.ts'
import { mapOperations } from './operations.ts'
import type { MapOperations } from './operations.ts'
import { showElement } from './show-element.ts'

/** Makes what a walk yields of one entry. */
type Pick<T> = (keys: DataView, keyAt: number, values: DataView, valueAt: number) => T

const ENOENT = failure('ENOENT')
const E2BIG = failure('E2BIG')
const ENOSPC = failure('ENOSPC')
const EEXIST = failure('EEXIST')
const EPERM = failure('EPERM')
const EINVAL = failure('EINVAL')
const EOPNOTSUPP = failure('EOPNOTSUPP')
/** In the kernel only (include/linux/errno.h), but bpf(2) lets it out. */
const ENOTSUPP = -524

/** Options of {@link BpfMap.set}. */
export interface SetOptions {
  /** `noexist`: only a new key; `exist`: only one that is there; `any` unless given. */
  readonly flags?: 'any' | 'noexist' | 'exist'
}

/** How a {@link BpfMap} reads its elements; `valueBytes` is what the kernel copies, for all processors. */
export interface ElementCodecs<K, V> {
  readonly key: ElementCodec<K>
  readonly value: ElementCodec<V>
}

/**
 * A live BPF map that behaves like a JavaScript `Map`.
 *
 * Keys and values go through its codecs: types of the object's BTF, a codec that was given, or bytes. Values that
 * are returned are the caller's own. It owns its descriptor: `dispose` closes it, and use after that is
 * MAP_DISPOSED. Calls are synchronous system calls, below two microseconds each.
 *
 * Iteration is safe while the map changes: an entry that stays is seen once; one that comes or goes meanwhile may be
 * seen or not. It reads in batches where the kernel can (5.6 for hash and array maps). Without batches, and for LPM
 * tries, the kernel starts again at the first key when the key under the walk is deleted by someone else: then the
 * walk ends with MAP_ITERATION_CUT_SHORT. Deleting entries in the loop itself is always safe.
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
  readonly #sys: Sys
  readonly #fd: number
  readonly #codecs: ElementCodecs<K, V>
  readonly #operations: MapOperations | undefined
  readonly #elements: MapElements
  readonly #key: DataView
  readonly #value: DataView
  #batches: boolean
  #disposed = false

  /** Takes over `fd`; use {@link createMap} or {@link openMap}. */
  constructor(sys: Sys, fd: number, shape: MapShape, codecs: ElementCodecs<K, V>) {
    this.name = shape.name
    this.type = shape.type
    this.keySize = shape.keySize
    this.valueSize = shape.valueSize
    this.maxEntries = shape.maxEntries
    this.flags = shape.flags
    this.#sys = sys
    this.#fd = fd
    this.#codecs = codecs
    this.#operations = mapOperations.get(shape.type)
    this.#batches = this.#operations?.batch ?? false
    this.#elements = mapElements(sys, fd, { keySize: shape.keySize, valueSize: codecs.value.size })
    this.#key = viewOf(this.#elements.key)
    this.#value = viewOf(this.#elements.value)
  }

  /** The descriptor; it stays this map's own. */
  get fd(): number {
    this.#live()
    return this.#fd
  }

  /** Entries, where the type fixes their number (arrays); `undefined` where only counting tells: {@link count}. */
  get size(): number | undefined {
    return this.#operations?.walk === 'index' ? this.maxEntries : undefined
  }

  /** The value under `key`, or `undefined`. */
  get(key: K): V | undefined {
    this.#can('get')
    this.#putKey(key)
    const result = this.#elements.lookup()
    if (result === 0) return this.#codecs.value.decode(this.#value, 0)
    if (result === ENOENT) return undefined
    throw this.#refused('get', key, result)
  }

  /** True where `key` has a value. */
  has(key: K): boolean {
    this.#can('has')
    this.#putKey(key)
    const result = this.#elements.lookup()
    if (result === 0) return true
    if (result === ENOENT) return false
    throw this.#refused('has', key, result)
  }

  /** Stores `value` under `key`, atomically for readers of other keys; the value itself may be torn for readers of this one. */
  set(key: K, value: V, options: SetOptions = {}): this {
    this.#can('set')
    this.#putKey(key)
    try {
      this.#codecs.value.encodeInto(value, this.#elements.value, 0)
    } catch (error) {
      throw misfit(error, (expected) =>
        errors.MAP_VALUE(
          { map: this.name, key: showElement(key), value: showElement(value), expected },
          { cause: error },
        ),
      )
    }
    const flags = options.flags ?? 'any'
    const result = this.#elements.update(elemFlags.value(flags))
    if (result < 0) throw this.#refused('set', key, result)
    return this
  }

  /** Deletes the entry of `key`; false where there was none. */
  delete(key: K): boolean {
    if (!this.#can('delete').delete) throw this.#unsupported('delete')
    this.#putKey(key)
    const result = this.#elements.delete()
    if (result === 0) return true
    if (result === ENOENT) return false
    throw this.#refused('delete', key, result)
  }

  /** Entries there are, by walking the map. */
  count(): number {
    let total = 0
    const walk = this.#walk(() => undefined)
    while (walk.next().done !== true) total++
    return total
  }

  /** Keys and values; see the class about changes meanwhile. */
  entries(): IterableIterator<[K, V]> {
    const { key, value } = this.#codecs
    return this.#walk((keys, keyAt, values, valueAt): [K, V] => [
      key.decode(keys, keyAt),
      value.decode(values, valueAt),
    ])
  }

  keys(): IterableIterator<K> {
    const { key } = this.#codecs
    return this.#walk((keys, keyAt) => key.decode(keys, keyAt))
  }

  values(): IterableIterator<V> {
    const { value } = this.#codecs
    return this.#walk((_keys, _keyAt, values, valueAt) => value.decode(values, valueAt))
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** What the kernel says about the map. */
  info(): MapInfo {
    this.#live()
    return readMapInfo(this.#sys, this.#fd)
  }

  /** Forbids changes from user space for good (BPF_MAP_FREEZE, kernel 5.2). Throws `SyscallError`. */
  freeze(): void {
    this.#live()
    mapFreeze(this.#sys, this.#fd)
  }

  /** Closes the descriptor; the kernel keeps the map while programs use it. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#sys.close(this.#fd)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #live(): void {
    if (this.#disposed) throw errors.MAP_DISPOSED({ map: this.name })
  }

  #can(operation: string): MapOperations {
    this.#live()
    if (this.#operations === undefined) throw this.#unsupported(operation)
    return this.#operations
  }

  #unsupported(operation: string): TsbpfError {
    return errors.MAP_UNSUPPORTED_OPERATION({ map: this.name, type: this.type, operation })
  }

  #putKey(key: K): void {
    try {
      this.#codecs.key.encodeInto(key, this.#elements.key, 0)
    } catch (error) {
      throw misfit(error, (expected) =>
        errors.MAP_KEY({ map: this.name, key: showElement(key), expected }, { cause: error }),
      )
    }
  }

  *#walk<T>(pick: Pick<T>): IterableIterator<T> {
    const { walk } = this.#can('iterate')
    if (this.#batches) {
      const reader = openBatch(this.#sys, this.#fd, {
        key: this.keySize,
        value: this.#codecs.value.size,
        maxEntries: this.maxEntries,
      })
      const result = reader.fetch()
      if (result === 0) {
        yield* this.#walkBatches(reader, pick)
        return
      }
      // Kernels before 5.6 know no batches, those before 5.13 none for per-CPU arrays.
      if (result !== EINVAL && result !== ENOTSUPP && result !== EOPNOTSUPP) {
        throw this.#refused('iterate', undefined, result)
      }
      this.#batches = false
    }
    yield* walk === 'index' ? this.#walkIndexes(pick) : this.#walkKeys(pick)
  }

  *#walkBatches<T>(reader: BatchReader, pick: Pick<T>): IterableIterator<T> {
    const valueSize = this.#codecs.value.size
    for (;;) {
      for (let i = 0; i < reader.count; i++) {
        yield pick(reader.keys, i * this.keySize, reader.values, i * valueSize)
      }
      if (reader.done) return
      this.#live()
      const result = reader.fetch()
      if (result < 0) throw this.#refused('iterate', undefined, result)
    }
  }

  *#walkIndexes<T>(pick: Pick<T>): IterableIterator<T> {
    for (let index = 0; index < this.maxEntries; index++) {
      this.#live()
      this.#key.setUint32(0, index, true)
      const result = this.#elements.lookup()
      if (result < 0) throw this.#refused('iterate', index, result)
      yield pick(this.#key, 0, this.#value, 0)
    }
  }

  *#walkKeys<T>(pick: Pick<T>): IterableIterator<T> {
    const { key, nextKey } = this.#elements
    // The scratch keys belong to every operation of the map: the walk keeps its own place.
    const place = new Uint8Array(this.keySize)
    let seen = 0
    let result = this.#elements.getFirstKey()
    while (result === 0) {
      key.set(seen === 0 ? nextKey : place)
      const found = this.#elements.lookup()
      if (found < 0 && found !== ENOENT) throw this.#refused('iterate', undefined, found)
      // The key is gone, so the next one asked for would be the first of the map again.
      if (found < 0 || seen >= this.maxEntries) throw errors.MAP_ITERATION_CUT_SHORT({ map: this.name, seen })
      const picked = pick(this.#key, 0, this.#value, 0)
      // The next key is fetched before the caller can delete this one.
      result = this.#elements.getNextKey()
      place.set(nextKey)
      seen++
      yield picked
      this.#live()
    }
    if (result !== ENOENT) throw this.#refused('iterate', undefined, result)
  }

  #refused(operation: string, key: unknown, result: number): TsbpfError {
    const map = this.name
    const shown = key === undefined ? undefined : showElement(key)
    if (shown !== undefined && operation === 'set') {
      if (result === EEXIST) return errors.MAP_ENTRY_EXISTS({ map, key: shown })
      if (result === ENOENT) return errors.MAP_NO_ENTRY({ map, key: shown })
      if (result === E2BIG || result === ENOSPC) {
        const facts = { map, key: shown, maxEntries: this.maxEntries }
        return this.size === undefined ? errors.MAP_FULL(facts) : errors.MAP_INDEX_OUT_OF_RANGE(facts)
      }
    }
    const facts = { map, operation, key: shown, errno: errnoName(result) }
    const writes = operation === 'set' || operation === 'delete'
    return writes && result === EPERM ? errors.MAP_READ_ONLY(facts) : errors.MAP_REFUSED(facts)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What a codec found wrong becomes an error of the map; anything else stays what it is. */
function misfit(error: unknown, wrap: (expected: string) => TsbpfError): unknown {
  if (isTsbpfError(error) || error instanceof TypeError || error instanceof RangeError)
    return wrap(error.message)
  return error
}
