import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfType } from '@tsbpf/btf'
import type { ElementCodec } from './element-codec.ts'

/** How an integer, pointer or float lies in memory, by the name of its typed array. */
export type Word = keyof typeof words

/** What fits each typed array as it stands: for anything else the codec of BTF says what is wrong. */
export const words = {
  Uint8: { size: 1, array: Uint8Array, fits: (x: unknown) => typeof x === 'number' && (x & 0xff) === x },
  Int8: {
    size: 1,
    array: Int8Array,
    fits: (x: unknown) => typeof x === 'number' && (x << 24) >> 24 === x,
  },
  Uint16: {
    size: 2,
    array: Uint16Array,
    fits: (x: unknown) => typeof x === 'number' && (x & 0xffff) === x,
  },
  Int16: {
    size: 2,
    array: Int16Array,
    fits: (x: unknown) => typeof x === 'number' && (x << 16) >> 16 === x,
  },
  Uint32: { size: 4, array: Uint32Array, fits: (x: unknown) => typeof x === 'number' && x >>> 0 === x },
  Int32: { size: 4, array: Int32Array, fits: (x: unknown) => typeof x === 'number' && (x | 0) === x },
  BigUint64: {
    size: 8,
    array: BigUint64Array,
    fits: (x: unknown) => typeof x === 'bigint' && BigInt.asUintN(64, x) === x,
  },
  BigInt64: {
    size: 8,
    array: BigInt64Array,
    fits: (x: unknown) => typeof x === 'bigint' && BigInt.asIntN(64, x) === x,
  },
  Float32: { size: 4, array: Float32Array, fits: (x: unknown) => typeof x === 'number' },
  Float64: { size: 8, array: Float64Array, fits: (x: unknown) => typeof x === 'number' },
} as const

/** The word that values of a type are; `undefined` for all else, as for booleans and enums, which have faces. */
export function wordOf(btf: Btf, id: TypeId | number): Word | undefined {
  // Typed arrays have the byte order of this machine, which is that of the kernels it can run.
  if (!btf.littleEndian) return undefined
  const type: BtfType = btf.resolve(id)
  if (type.kind === 'ptr') return btf.pointerSize === 8 ? 'BigUint64' : undefined
  if (type.kind === 'float') return type.size === 4 ? 'Float32' : type.size === 8 ? 'Float64' : undefined
  if (type.kind !== 'int' || type.bool) return undefined
  switch (type.size) {
    case 1:
      return type.signed ? 'Int8' : 'Uint8'
    case 2:
      return type.signed ? 'Int16' : 'Uint16'
    case 4:
      return type.signed ? 'Int32' : 'Uint32'
    case 8:
      return type.signed ? 'BigInt64' : 'BigUint64'
    default:
      return undefined
  }
}

const wide = new BigUint64Array(1)
const wideSigned = new BigInt64Array(wide.buffer)
const halves = new Uint32Array(wide.buffer)

function put(low: number, bytes: Uint8Array, offset: number): void {
  bytes[offset] = low
  bytes[offset + 1] = low >>> 8
  bytes[offset + 2] = low >>> 16
  bytes[offset + 3] = low >>> 24
}

function putWide(bytes: Uint8Array, offset: number): void {
  put(halves[0] ?? 0, bytes, offset)
  put(halves[1] ?? 0, bytes, offset + 4)
}

/**
 * Codecs of integers without what a codec of any type has to do: lookups of integers are what is done most. Each has
 * functions of its own, which the engine takes for what they are; what does not fit is for the other codec, which says so.
 */
const integers: Partial<
  Record<Word, (other: ElementCodec<unknown>) => Pick<ElementCodec<unknown>, 'decode' | 'encodeInto'>>
> = {
  Uint32: (other) => ({
    decode: (view, offset) => view.getUint32(offset, true),
    encodeInto(value, bytes, offset) {
      if (typeof value === 'number' && value >>> 0 === value) put(value, bytes, offset)
      else other.encodeInto(value, bytes, offset)
    },
  }),
  Int32: (other) => ({
    decode: (view, offset) => view.getInt32(offset, true),
    encodeInto(value, bytes, offset) {
      if (typeof value === 'number' && (value | 0) === value) put(value, bytes, offset)
      else other.encodeInto(value, bytes, offset)
    },
  }),
  BigUint64: (other) => ({
    decode: (view, offset) => view.getBigUint64(offset, true),
    encodeInto(value, bytes, offset) {
      if (typeof value !== 'bigint' || (wide[0] = value) !== wide[0]) other.encodeInto(value, bytes, offset)
      else putWide(bytes, offset)
    },
  }),
  BigInt64: (other) => ({
    decode: (view, offset) => view.getBigInt64(offset, true),
    encodeInto(value, bytes, offset) {
      if (typeof value !== 'bigint' || (wideSigned[0] = value) !== wideSigned[0])
        other.encodeInto(value, bytes, offset)
      else putWide(bytes, offset)
    },
  }),
}

/** The codec of a word, by its own means where that is an integer of 32 or 64 bits. */
export function wordCodec(
  other: ElementCodec<unknown>,
  word: Word | undefined,
): Pick<ElementCodec<unknown>, 'decode' | 'encodeInto'> {
  const integer = word === undefined ? undefined : integers[word]
  return integer?.(other) ?? other
}
