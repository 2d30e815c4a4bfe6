import { kinds } from '../kinds.ts'
import type { BtfTypeInput } from './type-input.ts'

/** Says that a field does not fit its place; does not return. */
export type Refuse = (path: string, expected: string, actual: unknown) => never

const u32Most = 0xffff_ffff
/** `vlen` of the newest kernels; older ones take 16 bits. */
const vlenMost = 0xff_ffff
const linkages = ['static', 'global', 'extern'] as const

function infoOf(kind: BtfTypeInput['kind'], vlen: number, kindFlag: boolean): number {
  return ((kindFlag ? 0x8000_0000 : 0) | (kinds.value(kind) << 24) | vlen) >>> 0
}

/**
 * The words of a type, as many as its kind and elements take (include/uapi/linux/btf.h). Only what cannot be
 * represented is refused; `string` gives the offset of a name.
 */
export function encodeType(
  type: BtfTypeInput,
  string: (text: string, path: string) => number,
  refuse: Refuse,
): readonly number[] {
  const whole = (path: string, value: number, most = u32Most): number => {
    if (Number.isInteger(value) && value >= 0 && value <= most) return value
    return refuse(path, `a whole number from 0 to ${most}`, value)
  }
  const id = (path: string, value: number): number => whole(path, value, 0x7fff_ffff)
  const vlen = (path: string, count: number): number => whole(`${path}.length`, count, vlenMost)
  const linkage = (value: string): number => {
    const index = linkages.findIndex((name) => name === value)
    return index >= 0 ? index : refuse('linkage', linkages.join(', '), value)
  }
  const { kind } = type

  switch (kind) {
    case 'int': {
      const { name, size, bits = size * 8, offsetBits = 0, signed, char, bool } = type
      const encoding = (signed === true ? 1 : 0) | (char === true ? 2 : 0) | (bool === true ? 4 : 0)
      const data = (encoding << 24) | (whole('offsetBits', offsetBits, 255) << 16) | whole('bits', bits, 255)
      return [string(name, 'name'), infoOf(kind, 0, false), whole('size', size), data]
    }
    case 'ptr':
    case 'volatile':
    case 'const':
    case 'restrict':
      return [0, infoOf(kind, 0, false), id('type', type.type)]
    case 'array': {
      const tail = [id('type', type.type), id('indexType', type.indexType), whole('length', type.length)]
      return [0, infoOf(kind, 0, false), 0, ...tail]
    }
    case 'struct':
    case 'union': {
      const { members } = type
      const kindFlag = type.kindFlag ?? members.some((member) => (member.bitfieldSizeBits ?? 0) > 0)
      const words = [string(type.name, 'name'), infoOf(kind, vlen('members', members.length), kindFlag)]
      words.push(whole('size', type.size))
      members.forEach((member, i) => {
        const path = `members[${i}]`
        const bits = whole(`${path}.bitfieldSizeBits`, member.bitfieldSizeBits ?? 0, kindFlag ? 255 : 0)
        const offset = whole(`${path}.offsetBits`, member.offsetBits, kindFlag ? 0xff_ffff : u32Most)
        words.push(
          string(member.name, `${path}.name`),
          id(`${path}.type`, member.type),
          (bits << 24) | offset,
        )
      })
      return words
    }
    case 'enum':
    case 'enum64': {
      const { values } = type
      const signed = type.signed ?? values.some(({ value }) => value < 0)
      const bits = kind === 'enum' ? 32n : 64n
      const [least, most] = signed
        ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
        : [0n, (1n << bits) - 1n]
      const words = [string(type.name, 'name'), infoOf(kind, vlen('values', values.length), signed)]
      words.push(whole('size', type.size))
      values.forEach(({ name, value }, i) => {
        const path = `values[${i}]`
        const exact = typeof value === 'bigint' || Number.isSafeInteger(value)
        const number = exact ? BigInt(value) : undefined
        if (number === undefined || number < least || number > most) {
          return refuse(`${path}.value`, `a whole number from ${least} to ${most}`, value)
        }
        words.push(string(name, `${path}.name`), Number(BigInt.asUintN(32, number)))
        if (kind === 'enum64') words.push(Number(BigInt.asUintN(32, number >> 32n)))
      })
      return words
    }
    case 'fwd':
      return [string(type.name, 'name'), infoOf(kind, 0, type.union ?? false), 0]
    case 'typedef':
      return [string(type.name, 'name'), infoOf(kind, 0, false), id('type', type.type)]
    case 'type_tag':
      return [string(type.name, 'name'), infoOf(kind, 0, type.kindFlag ?? false), id('type', type.type)]
    case 'func':
      return [string(type.name, 'name'), infoOf(kind, linkage(type.linkage), false), id('type', type.type)]
    case 'func_proto': {
      const { params } = type
      const words = [0, infoOf(kind, vlen('params', params.length), false), id('returnType', type.returnType)]
      params.forEach((param, i) => {
        words.push(string(param.name, `params[${i}].name`), id(`params[${i}].type`, param.type))
      })
      return words
    }
    case 'var': {
      const head = [string(type.name, 'name'), infoOf(kind, 0, false), id('type', type.type)]
      return [...head, linkage(type.linkage)]
    }
    case 'datasec': {
      const { vars } = type
      const words = [string(type.name, 'name'), infoOf(kind, vlen('vars', vars.length), false)]
      words.push(whole('size', type.size))
      vars.forEach((row, i) => {
        const path = `vars[${i}]`
        words.push(id(`${path}.type`, row.type))
        words.push(whole(`${path}.offset`, row.offset), whole(`${path}.size`, row.size))
      })
      return words
    }
    case 'float':
      return [string(type.name, 'name'), infoOf(kind, 0, false), whole('size', type.size)]
    case 'decl_tag': {
      const { component = -1 } = type
      const fits = Number.isInteger(component) && component >= -(2 ** 31) && component < 2 ** 31
      if (!fits) return refuse('component', 'a whole number of 32 bits', component)
      const head = [string(type.name, 'name'), infoOf(kind, 0, type.kindFlag ?? false), id('type', type.type)]
      return [...head, component]
    }
  }
}
