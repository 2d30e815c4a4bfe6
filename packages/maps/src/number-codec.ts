import { errors } from './errors.ts'
import type { ElementCodec } from './element-codec.ts'

/** An object that has a descriptor: a program, a map, a socket. */
export interface HasFd {
  readonly fd: number
}

/**
 * Values of maps that hold kernel objects: a descriptor (or what has one) is written; what is read is the id of the
 * program or map, or the cookie of the socket. 8 bytes are read as a `bigint`.
 *
 * @example
 * ```ts no-run
 * import { createMap, indexCodec, objectCodec } from '@tsbpf/maps'
 * using tails = createMap(sys, shape, { codecs: { key: indexCodec, value: objectCodec(4) } })
 * tails.set(0, program)
 * ```
 */
export function objectCodec(size: 4 | 8): ElementCodec<number | bigint | HasFd> {
  return {
    size,
    decode: (view, offset) => (size === 4 ? view.getUint32(offset, true) : view.getBigUint64(offset, true)),
    encodeInto(value, bytes, offset) {
      const given: unknown = value
      const fd: unknown = typeof given === 'object' && given !== null && 'fd' in given ? given.fd : given
      if (!(typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 && fd < 2 ** 31)) {
        throw errors.MAP_ELEMENT_SIZE({
          expected: 'a descriptor, or an object that has one as fd',
          actual: String(fd),
        })
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      view.setUint32(offset, fd, true)
      if (size === 8) view.setUint32(offset + 4, 0, true)
    },
  }
}

/**
 * The same codec with numbers where it has `bigint`s, also within structs and arrays: for counters that stay below
 * 2^53. One that does not is MAP_NUMBER_RANGE, so that none is silently wrong.
 *
 * @example
 * ```ts no-run
 * import { asNumbers } from '@tsbpf/maps'
 * const counts = asNumbers(codec(btf, typeOfU64)) // decodes 7, not 7n
 * ```
 */
export function asNumbers<T>(codec: ElementCodec<unknown>): ElementCodec<T> {
  return {
    size: codec.size,
    decode: (view, offset) => toNumbers(codec.decode(view, offset)) as T,
    encodeInto: (value, bytes, offset) => {
      codec.encodeInto(value, bytes, offset)
    },
  }
}

function toNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw errors.MAP_NUMBER_RANGE({ value: String(value) })
    return number
  }
  return mapParts(value, toNumbers)
}

/** Maps the elements of an array or the members of a plain object; anything else stays. */
function mapParts(value: unknown, change: (part: unknown, name: string | number) => unknown): unknown {
  if (Array.isArray(value)) return value.map((part, index) => change(part, index))
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, change(part, name)]))
}

/**
 * Adds up the values of all processors, member by member where they are structs. What cannot be added (text, booleans)
 * is that of the first processor.
 *
 * @example
 * ```ts
 * import { sumCpus } from '@tsbpf/maps'
 * console.log(sumCpus([1n, 2n]), sumCpus([{ packets: 1, bytes: 64n }, { packets: 2, bytes: 80n }])) // 3n { packets: 3, bytes: 144n }
 * ```
 */
export function sumCpus<T>(values: readonly T[]): T {
  return reduceCpus(values, (one, other) => {
    if (typeof one === 'bigint' && typeof other === 'bigint') return one + other
    return typeof one === 'number' && typeof other === 'number' ? one + other : one
  })
}

/** As {@link sumCpus}, but the largest of each. */
export function maxCpus<T>(values: readonly T[]): T {
  return reduceCpus(values, (one, other) => (isNumeric(one) && isNumeric(other) && other > one ? other : one))
}

/** As {@link sumCpus}, but the smallest of each. */
export function minCpus<T>(values: readonly T[]): T {
  return reduceCpus(values, (one, other) => (isNumeric(one) && isNumeric(other) && other < one ? other : one))
}

const isNumeric = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint'

function reduceCpus<T>(values: readonly T[], reduce: (one: unknown, other: unknown) => unknown): T {
  const merge = (one: unknown, other: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return reduce(one, other)
    return mapParts(one, (part, name) => merge(part, (other as Record<string | number, unknown>)[name]))
  }
  return values.reduce<unknown>((sum, value, cpu) => (cpu === 0 ? value : merge(sum, value)), undefined) as T
}
