import type { TypeId } from '@tsbpf/base'
import { formatType, memberPath } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { errors } from '../errors.ts'

/** A column of values: as wide as the field, or `Float64Array` for 64 bits as numbers. */
export type FieldColumn =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/** A number in a record: where it is, and how it is read. */
export interface Field {
  readonly path: string
  /** Bytes from the start of the record, and its own. */
  readonly offset: number
  readonly size: number
  /** The same as code of JavaScript, for a record at `at` of `view`. */
  readonly code: string
  readonly read: (view: DataView, at: number) => number | bigint
  /** Of 64 bits, the code of their low half and of their high half: to be stored without making a bigint. */
  readonly halves?: readonly [low: string, high: string]
  readonly Column: new (length: number) => FieldColumn
}

type Form = Pick<Field, 'code' | 'read' | 'halves' | 'Column'>

const columns = {
  Uint8: Uint8Array,
  Int8: Int8Array,
  Uint16: Uint16Array,
  Int16: Int16Array,
  Uint32: Uint32Array,
  Int32: Int32Array,
  Float32: Float32Array,
  Float64: Float64Array,
  BigUint64: BigUint64Array,
  BigInt64: BigInt64Array,
} as const

function plainForm(name: keyof typeof columns, offset: number, littleEndian: boolean): Form {
  const get = `get${name}` as const
  return {
    code: `view.${get}(at + ${offset}, ${littleEndian})`,
    read: (view, at) => view[get](at + offset, littleEndian),
    Column: columns[name],
  }
}

/** 64 bits, as a bigint or as a number. */
function wideForm(signed: boolean, offset: number, littleEndian: boolean, number: boolean): Form {
  const [low, high] = littleEndian ? [offset, offset + 4] : [offset + 4, offset]
  const get = signed ? 'getInt32' : 'getUint32'
  const halves = [
    `view.getUint32(at + ${low}, ${littleEndian})`,
    `view.${get}(at + ${high}, ${littleEndian})`,
  ] as const
  if (!number) return { ...plainForm(signed ? 'BigInt64' : 'BigUint64', offset, littleEndian), halves }
  return {
    code: `${halves[0]} + ${halves[1]} * ${2 ** 32}`,
    read: (view, at) => view.getUint32(at + low, littleEndian) + view[get](at + high, littleEndian) * 2 ** 32,
    Column: Float64Array,
  }
}

/** The form of a type that is a number in whole bytes; `undefined` for any other. */
function formOf(btf: Btf, id: TypeId, offset: number, numbers: boolean): Form | undefined {
  const type = btf.resolve(id)
  const order = btf.littleEndian
  const size = type.kind === 'ptr' ? 8 : 'size' in type ? type.size : 0
  if (type.kind === 'float') {
    return size === 4 || size === 8 ? plainForm(size === 4 ? 'Float32' : 'Float64', offset, order) : undefined
  }
  const whole = type.kind === 'int' && type.bits === size * 8 && type.offsetBits === 0
  const isBool = type.kind === 'int' && type.bool && size === 1
  if (!whole && !isBool && type.kind !== 'enum' && type.kind !== 'enum64' && type.kind !== 'ptr')
    return undefined
  const signed = 'signed' in type && type.signed
  if (size === 8) return wideForm(signed, offset, order, numbers)
  if (size !== 1 && size !== 2 && size !== 4) return undefined
  return plainForm(`${signed ? 'Int' : 'Uint'}${(size * 8) as 8 | 16 | 32}`, offset, order)
}

/** The field that a path names. Throws RING_FIELD where it is not a number in whole bytes. */
export function recordField(btf: Btf, type: TypeId | number, path: string, numbers: boolean): Field {
  const place = memberPath(btf, type, path)
  const offset = place.offsetBits / 8
  const form = place.bitfield ? undefined : formOf(btf, place.type, offset, numbers)
  if (form === undefined) {
    const actual = place.bitfield ? 'a bitfield' : formatType(btf, place.type)
    throw errors.RING_FIELD({ type: formatType(btf, type), path, actual })
  }
  return { path, offset, size: place.sizeBits / 8, ...form }
}
