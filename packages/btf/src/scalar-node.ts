import type { BtfTypeOf } from './btf-type.ts'
import { BadValue } from './value-node.ts'
import type { ValueNode } from './value-node.ts'

/** An unsigned or signed integer of some bits: where it is read from is another's business. */
export interface IntegerRule {
  readonly bits: number
  readonly signed: boolean
  /** Values are `bigint`; else `number`. */
  readonly big: boolean
}

/** Checks a value against a rule and gives its bits, two's complement, as a `number` or `bigint` without sign. */
function toBits(rule: IntegerRule, value: unknown): bigint {
  const { bits, signed } = rule
  const limit = 1n << BigInt(bits)
  const low = signed ? -(limit >> 1n) : 0n
  const high = signed ? (limit >> 1n) - 1n : limit - 1n
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  const number = whole ? BigInt(value) : undefined
  if (number === undefined || number < low || number > high) {
    throw new BadValue(`an integer from ${low} to ${high}`, value)
  }
  return BigInt.asUintN(bits, number)
}

/** The value of unsigned bits under a rule. */
function fromBits(rule: IntegerRule, bits: bigint): number | bigint {
  const value = rule.signed ? BigInt.asIntN(rule.bits, bits) : bits
  return rule.big ? value : Number(value)
}

/** Integers in whole bytes: 1, 2, 4, 8 or 16 of them. */
export function integerNode(size: number, signed: boolean, littleEndian: boolean): ValueNode | undefined {
  const rule = { bits: size * 8, signed, big: size > 4 }
  const form = { kind: 'integer' as const, rule }
  const small = (
    read: ValueNode['read'],
    write: (view: DataView, at: number, value: number) => void,
  ): ValueNode => {
    const low = signed ? -(2 ** (rule.bits - 1)) : 0
    const high = low + 2 ** rule.bits - 1
    return {
      size,
      weight: 1,
      form,
      read,
      write(view, at, value) {
        const number = typeof value === 'bigint' ? Number(value) : value
        if (typeof number !== 'number' || !Number.isInteger(number) || number < low || number > high) {
          throw new BadValue(`an integer from ${low} to ${high}`, value)
        }
        write(view, at, number)
      },
    }
  }
  switch (size) {
    case 1:
      return signed
        ? small(
            (view, at) => view.getInt8(at),
            (view, at, value) => view.setInt8(at, value),
          )
        : small(
            (view, at) => view.getUint8(at),
            (view, at, value) => view.setUint8(at, value),
          )
    case 2:
      return signed
        ? small(
            (view, at) => view.getInt16(at, littleEndian),
            (view, at, value) => view.setInt16(at, value, littleEndian),
          )
        : small(
            (view, at) => view.getUint16(at, littleEndian),
            (view, at, value) => view.setUint16(at, value, littleEndian),
          )
    case 4:
      return signed
        ? small(
            (view, at) => view.getInt32(at, littleEndian),
            (view, at, value) => view.setInt32(at, value, littleEndian),
          )
        : small(
            (view, at) => view.getUint32(at, littleEndian),
            (view, at, value) => view.setUint32(at, value, littleEndian),
          )
    case 8:
      return {
        size,
        weight: 1,
        form,
        read: (view, at) =>
          signed ? view.getBigInt64(at, littleEndian) : view.getBigUint64(at, littleEndian),
        write: (view, at, value) => view.setBigUint64(at, toBits(rule, value), littleEndian),
      }
    case 16: {
      const [low, high] = littleEndian ? [0, 8] : [8, 0]
      return {
        size,
        weight: 1,
        form,
        read(view, at) {
          const bits =
            (view.getBigUint64(at + high, littleEndian) << 64n) | view.getBigUint64(at + low, littleEndian)
          return fromBits(rule, bits)
        },
        write(view, at, value) {
          const bits = toBits(rule, value)
          view.setBigUint64(at + low, BigInt.asUintN(64, bits), littleEndian)
          view.setBigUint64(at + high, bits >> 64n, littleEndian)
        },
      }
    }
    default:
      return undefined
  }
}

/** `float` and `double`. */
export function floatNode(size: number, littleEndian: boolean): ValueNode | undefined {
  if (size !== 4 && size !== 8) return undefined
  return {
    size,
    weight: 1,
    form: { kind: 'float' },
    read: (view, at) => (size === 4 ? view.getFloat32(at, littleEndian) : view.getFloat64(at, littleEndian)),
    write(view, at, value) {
      if (typeof value !== 'number') throw new BadValue('a number', value)
      if (size === 4) view.setFloat32(at, value, littleEndian)
      else view.setFloat64(at, value, littleEndian)
    },
  }
}

/** How the bits of an integer are shown: as they are, as a boolean, or by an enumerator's name. */
export interface Face {
  readonly show: (value: number | bigint) => unknown
  /** A number for `toBits` or an integer node; throws {@link BadValue}. */
  readonly number: (value: unknown) => unknown
}

/** `bool`: any number but zero is true, as in C. */
export const boolFace: Face = {
  show: (value) => value !== 0 && value !== 0n,
  number(value) {
    if (typeof value !== 'boolean') throw new BadValue('a boolean', value)
    return value ? 1 : 0
  },
}

/** Enumerators by value and by name; `bits` is how many bits of a value are stored, `big` whether as `bigint`. */
export function enumFace(type: BtfTypeOf<'enum' | 'enum64'>, bits: number, big: boolean): Face {
  const names = new Map<number | bigint, string>()
  const values = new Map<string, number | bigint>()
  for (const { name, value } of type.values) {
    const stored = type.signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
    const key = big ? stored : Number(stored)
    if (!names.has(key)) names.set(key, name)
    if (!values.has(name)) values.set(name, key)
  }
  return {
    show: (value) => names.get(value) ?? value,
    number(value) {
      if (typeof value !== 'string') return value
      const number = values.get(value)
      if (number !== undefined) return number
      const known = [...values.keys()]
      const listed = known.slice(0, 8).join(', ') + (known.length > 8 ? ', ...' : '')
      throw new BadValue(`an enumerator of enum ${type.name} (${listed}) or its number`, value)
    },
  }
}

/** An integer node seen through a face. */
export function faced(node: ValueNode, face: Face): ValueNode {
  return {
    size: node.size,
    weight: 1,
    form: { kind: 'faced', node, face },
    read: (view, at) => face.show(node.read(view, at) as number | bigint),
    write: (view, at, value) => {
      node.write(view, at, face.number(value))
    },
  }
}

/**
 * A bitfield: `rule.bits` bits from bit `first` of the bytes at `at`. Bits are counted from the low end of each byte in
 * little-endian BTF, from the high end in big-endian BTF. Its size counts the bytes that it touches.
 */
export function bitfieldNode(
  rule: IntegerRule,
  first: number,
  littleEndian: boolean,
  face: Face | undefined,
): ValueNode {
  const size = Math.ceil((first + rule.bits) / 8)
  const shift = BigInt(littleEndian ? first : size * 8 - first - rule.bits)
  const mask = (1n << BigInt(rule.bits)) - 1n
  /** Byte `i` in order of significance, from the lowest. */
  const place = (at: number, i: number): number => at + (littleEndian ? i : size - 1 - i)
  const form = { kind: 'bitfield' as const, rule, first, face }
  return {
    size,
    weight: 1,
    form,
    read(view, at) {
      let bits = 0n
      for (let i = size - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(view.getUint8(place(at, i)))
      const value = fromBits(rule, (bits >> shift) & mask)
      return face === undefined ? value : face.show(value)
    },
    write(view, at, value) {
      let bits = toBits(rule, face === undefined ? value : face.number(value)) << shift
      for (let i = 0; i < size; i++) {
        const to = place(at, i)
        view.setUint8(to, view.getUint8(to) | Number(bits & 0xffn))
        bits >>= 8n
      }
    },
  }
}
