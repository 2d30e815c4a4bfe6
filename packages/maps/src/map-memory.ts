import { errnoName } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { MapAccess } from './map-access.ts'
import { pageSize } from './page-size.ts'

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
   * The live bytes, for views such as `new BigUint64Array(memory.bytes.buffer)`. Empty after `dispose`, and where it was
   * mapped for reading alone, because a write would end the process.
   */
  readonly bytes: Uint8Array
  /** Decodes the value at `index` as it is now. One of up to 8 bytes is read in one piece. Throws MAP_MEMORY_INDEX. */
  get(index: number): V
  /** Writes the value at `index`. Throws MAP_MEMORY_INDEX, MAP_MEMORY_READ_ONLY and MAP_VALUE. */
  set(index: number, value: V): void
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
  const bytes = new Uint8Array(mapping.memory)
  const view = new DataView(mapping.memory)
  let disposed = false
  const at = (index: number): number => {
    if (disposed) throw errors.MAP_DISPOSED({ map: name })
    if (isArena) throw map.unsupported('memory.get and memory.set')
    if (!(Number.isInteger(index) && index >= 0 && index < maxEntries)) {
      throw errors.MAP_MEMORY_INDEX({ map: name, index, count: maxEntries })
    }
    return index * stride
  }
  const dispose = (): void => {
    disposed = true
    mapping.unmap()
  }
  return {
    count: maxEntries,
    stride,
    bytes: readOnly ? new Uint8Array(0) : bytes,
    get: (index) => value.decode(view, at(index)),
    set(index, given) {
      const offset = at(index)
      if (readOnly) throw errors.MAP_MEMORY_READ_ONLY({ map: name })
      map.putValue(index, given, bytes, offset)
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}
