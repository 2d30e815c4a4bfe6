import { errnoName } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { LiveMemory } from './live-class.ts'
import type { Live } from './live-value.ts'
import type { MapAccess } from './map-access.ts'
import { pageSize } from './page-size.ts'
import { words } from './scalar-codec.ts'
import type { Word } from './scalar-codec.ts'

/** Options of {@link BpfMap.memory}. */
export interface MapMemoryOptions {
  /** Maps it for reading alone: the only way for a frozen map. */
  readonly readOnly?: boolean
}

/** An array or an arena in memory: the very bytes that programs use. */
export interface MapMemory<V> extends Disposable {
  /** Values there are; of an arena, pages. */
  readonly count: number
  /** Bytes from one value to the next: the size rounded up to 8; of an arena, a page. */
  readonly stride: number
  /**
   * The live bytes. Empty after `dispose`, and where it was mapped for reading alone, because a write would end the
   * process.
   */
  readonly bytes: Uint8Array
  /**
   * Where values are integers or floats by BTF, a typed array of them over all of the memory: value `i` is at
   * `i * stride / BYTES_PER_ELEMENT`. `undefined` for other values, and where it was mapped for reading alone.
   */
  readonly scalars: InstanceType<(typeof words)[Word]['array']> | undefined
  /** Decodes the value at `index` as it is now. An integer or float is read in one piece. Throws MAP_MEMORY_INDEX. */
  get(index: number): V
  /** Writes the value at `index`. Throws MAP_MEMORY_INDEX, MAP_MEMORY_READ_ONLY and MAP_VALUE. */
  set(index: number, value: V): void
  /**
   * The value at `index` itself, as BTF has its type: reading a member of it reads the memory, which takes a few
   * nanoseconds, and setting one writes it. A data section is one value, whose members are its variables. Members that
   * are integers, floats and pointers are read and written in one piece; arrays of them are typed arrays (copies, where
   * the memory was mapped for reading alone), nested structs and arrays of them are live, too, and all else is decoded
   * at each read. A bitfield cannot be set by itself. A scalar value is a typed array of one.
   *
   * Members throw MAP_DISPOSED, MAP_MEMORY_READ_ONLY and MAP_MEMBER; a typed array is empty once the memory is disposed.
   * Throws MAP_MEMORY_INDEX, and MAP_MEMORY_TYPE where no BTF tells the type.
   *
   * @example
   * ```ts no-run
   * using memory = bpf.map<number, { packets: bigint; sizes: number[] }>('stats').memory()
   * const stats = memory.view(0)
   * console.log(stats.packets, stats.sizes[3])
   * stats.packets = 0n
   * ```
   */
  view(index: number): Live<V>
  /** Unmaps; a second call does nothing. Use after that is MAP_DISPOSED. It may outlive its map. */
  dispose(): void
}

/** Maps the memory of an array or arena. */
export function openMemory<K, V>(map: MapAccess<K, V>, options: MapMemoryOptions = {}): MapMemory<V> {
  const { name, type, valueSize, maxEntries } = map.shape
  const isArena = type === 'arena'
  if (!isArena && type !== 'array') throw map.unsupported('memory')
  const stride = isArena ? pageSize(map.sys) : Math.ceil(valueSize / 8) * 8
  const readOnly = options.readOnly === true
  const protection = readOnly ? linux.PROT_READ : linux.PROT_READ | linux.PROT_WRITE
  const mapping = map.sys.mmap(map.fd, stride * maxEntries, protection, linux.MAP_SHARED, 0)
  if (typeof mapping === 'number') throw errors.MAP_MEMORY({ map: name, errno: errnoName(mapping) })
  const { value } = map.codecs
  const { memory: buffer } = mapping
  const bytes = new Uint8Array(buffer)
  const view = new DataView(buffer)
  let disposed = false
  const live = (): void => {
    if (disposed) throw errors.MAP_DISPOSED({ map: name })
  }
  const writable = (): void => {
    live()
    if (readOnly) throw errors.MAP_MEMORY_READ_ONLY({ map: name })
  }
  const at = (index: number): number => {
    live()
    if (isArena) throw map.unsupported('memory.get, memory.set and memory.view')
    if (!(Number.isInteger(index) && index >= 0 && index < maxEntries)) {
      throw errors.MAP_MEMORY_INDEX({ map: name, index, count: maxEntries })
    }
    return index * stride
  }
  const typed = typedArrays(buffer)
  const liveMemory: LiveMemory = {
    view,
    bytes,
    words: typed,
    readOnly,
    live,
    change(member, given, write) {
      writable()
      map.putMember(member, given, write)
    },
  }
  const scalars = value.word === undefined || isArena ? undefined : typed[value.word]
  const step = scalars === undefined ? 0 : stride / scalars.BYTES_PER_ELEMENT
  const decode = (index: number): V => value.decode(view, at(index))
  const get =
    scalars === undefined
      ? decode
      : (index: number): V => {
          // What is not there, also after unmapping, is undefined: the slow way says why.
          const found = index >>> 0 === index ? scalars[index * step] : undefined
          return found === undefined ? decode(index) : (found as V)
        }
  const dispose = (): void => {
    disposed = true
    mapping.unmap()
  }
  return {
    count: maxEntries,
    stride,
    bytes: readOnly ? new Uint8Array(0) : bytes,
    scalars: readOnly ? undefined : scalars,
    get,
    set(index, given) {
      const offset = at(index)
      writable()
      if (value.word !== undefined && words[value.word].fits(given)) {
        typed[value.word][offset / words[value.word].size] = given as never
      } else {
        map.putValue(index, given, bytes, offset)
      }
    },
    view(index) {
      const offset = at(index)
      if (value.live === undefined) throw errors.MAP_MEMORY_TYPE({ map: name })
      return value.live(liveMemory, offset) as Live<V>
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function typedArrays(buffer: ArrayBuffer): LiveMemory['words'] {
  const kinds = Object.entries(words).map(([name, { array: Words }]) => [name, new Words(buffer)])
  return Object.fromEntries(kinds) as LiveMemory['words']
}
