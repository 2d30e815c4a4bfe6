import { errors } from './errors.ts'
import type { LiveMemory } from './live-class.ts'
import type { Word } from './scalar-codec.ts'

/**
 * Turns the bytes of a key or value into a JavaScript value and back. A `Codec` of `@tsbpf/btf` is one.
 *
 * `decode` must not return a view of the buffer: it is used again for the next element. `encodeInto` writes exactly
 * `size` bytes at `offset`, padding zero, or throws.
 */
export interface ElementCodec<T> {
  /** Bytes of one element. */
  readonly size: number
  decode(bytes: DataView, offset: number): T
  encodeInto(value: T, bytes: Uint8Array, offset: number): void
  /** What reads a value of mapped memory as a live one, where its type is known. */
  readonly live?: ((memory: LiveMemory, at: number) => unknown) | undefined
  /** The typed array that values fit, where they are integers or floats. */
  readonly word?: Word | undefined
}

/**
 * Elements as bytes: `decode` copies, `encodeInto` refuses any other size with MAP_ELEMENT_SIZE.
 *
 * @example
 * ```ts
 * import { bytesCodec } from '@tsbpf/maps'
 * const codec = bytesCodec(4)
 * console.log(codec.decode(new DataView(new Uint8Array([1, 2, 3, 4]).buffer), 0)) // Uint8Array(4) [ 1, 2, 3, 4 ]
 * ```
 */
export function bytesCodec(size: number): ElementCodec<Uint8Array> {
  return {
    size,
    decode: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, size).slice(),
    encodeInto(value, bytes, offset) {
      // Callers in plain JavaScript may pass anything.
      const given: unknown = value
      if (!(given instanceof Uint8Array) || given.length !== size) {
        const actual = given instanceof Uint8Array ? `${given.length} bytes` : typeof given
        throw errors.MAP_ELEMENT_SIZE({ expected: `a Uint8Array of ${size} bytes`, actual })
      }
      bytes.set(given, offset)
    },
  }
}

/** Indexes of array maps as numbers: for arrays whose key no BTF describes. */
export const indexCodec: ElementCodec<number> = {
  size: 4,
  decode: (view, offset) => view.getUint32(offset, true),
  encodeInto(value, bytes, offset) {
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
      throw errors.MAP_ELEMENT_SIZE({ expected: 'an index from 0 to 4294967295', actual: String(value) })
    }
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, value, true)
  },
}

/** The kernel gives each processor's value at a multiple of 8 bytes (kernel/bpf/hashtab.c, round_up(value_size, 8)). */
function perCpuStride(size: number): number {
  return Math.ceil(size / 8) * 8
}

/** Values of a per-CPU map: one element for each possible processor, by processor number. */
export function perCpuCodec<T>(one: ElementCodec<T>, cpus: number): ElementCodec<readonly T[]> {
  const stride = perCpuStride(one.size)
  return {
    size: stride * cpus,
    decode: (view, offset) =>
      Array.from({ length: cpus }, (_, cpu) => one.decode(view, offset + cpu * stride)),
    encodeInto(value, bytes, offset) {
      const given: unknown = value
      if (!Array.isArray(given) || given.length !== cpus) {
        const actual = Array.isArray(given) ? `an array of ${given.length}` : typeof given
        throw errors.MAP_ELEMENT_SIZE({
          expected: `an array of ${cpus} values, one for each processor`,
          actual,
        })
      }
      for (let cpu = 0; cpu < cpus; cpu++) one.encodeInto(value[cpu] as T, bytes, offset + cpu * stride)
    },
  }
}
