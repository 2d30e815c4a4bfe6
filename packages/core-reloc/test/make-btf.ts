import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import { parseBtf } from '@tsbpf/btf'

/** A type for {@link makeBtf}; ids count from 1 in the order given. `raw` is the words after the first three. */
export type Made =
  | { readonly int: string; readonly size: number; readonly encoding?: number; readonly offset?: number }
  | { readonly ptr: number }
  | { readonly array: number; readonly length: number }
  | {
      readonly struct: string
      readonly size: number
      readonly members: readonly MadeMember[]
      readonly union?: true
    }
  | {
      readonly enum: string
      readonly size?: number
      readonly signed?: true
      readonly values: readonly [string, number][]
    }
  | { readonly enum64: string; readonly signed?: true; readonly values: readonly [string, bigint][] }
  | { readonly fwd: string; readonly union?: true }
  | { readonly typedef: string; readonly to: number }
  | { readonly volatile: number }
  | { readonly proto: number; readonly params: readonly number[] }
  | { readonly float: string; readonly size: number }

/** `[name, type, offset in bits, bits of a bitfield]` */
export type MadeMember = readonly [name: string, type: number, offset: number, bits?: number]

/** Encodes types as little-endian BTF and parses them. */
export function makeBtf(types: readonly Made[], base?: Btf): Btf {
  const strings = new Map<string, number>([['', 0]])
  let text = '\0'
  const name = (value: string): number => {
    let at = strings.get(value)
    if (at === undefined) {
      at = text.length + (base?.endString ?? 0)
      strings.set(value, at)
      text += `${value}\0`
    }
    return at
  }
  if (base !== undefined) text = ''
  const words: number[] = []
  const info = (kind: number, vlen = 0, flag = false): number =>
    ((flag ? 0x80000000 : 0) | (kind << 24) | vlen) >>> 0
  for (const type of types) {
    if ('int' in type) {
      const bits = type.size * 8
      words.push(
        name(type.int),
        info(1),
        type.size,
        ((type.encoding ?? 0) << 24) | ((type.offset ?? 0) << 16) | bits,
      )
    } else if ('ptr' in type) words.push(0, info(2), type.ptr)
    else if ('array' in type) words.push(0, info(3), 0, type.array, type.array, type.length)
    else if ('struct' in type) {
      const flag = type.members.some(([, , , bits]) => bits !== undefined)
      words.push(name(type.struct), info(type.union ? 5 : 4, type.members.length, flag), type.size)
      for (const [member, id, offset, bits = 0] of type.members) {
        words.push(name(member), id, ((flag ? bits << 24 : 0) | offset) >>> 0)
      }
    } else if ('enum' in type) {
      words.push(name(type.enum), info(6, type.values.length, type.signed), type.size ?? 4)
      for (const [value, number] of type.values) words.push(name(value), number >>> 0)
    } else if ('enum64' in type) {
      words.push(name(type.enum64), info(19, type.values.length, type.signed), 8)
      for (const [value, number] of type.values) {
        const bits = BigInt.asUintN(64, number)
        words.push(name(value), Number(bits & 0xffff_ffffn), Number(bits >> 32n))
      }
    } else if ('fwd' in type) words.push(name(type.fwd), info(7, 0, type.union), 0)
    else if ('typedef' in type) words.push(name(type.typedef), info(8), type.to)
    else if ('volatile' in type) words.push(0, info(9), type.volatile)
    else if ('proto' in type) {
      words.push(0, info(13, type.params.length), type.proto)
      for (const param of type.params) words.push(0, param)
    } else words.push(name(type.float), info(16), type.size)
  }
  const section = new TextEncoder().encode(text)
  const bytes = new Uint8Array(24 + words.length * 4 + section.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0xeb9f, true)
  view.setUint8(2, 1)
  ;[24, 0, words.length * 4, words.length * 4, section.length].forEach((value, i) =>
    view.setUint32(4 + i * 4, value, true),
  )
  words.forEach((word, i) => view.setUint32(24 + i * 4, word, true))
  bytes.set(section, 24 + words.length * 4)
  return parseBtf(bytes, base === undefined ? {} : { base })
}

/** The number as the type id it is in {@link makeBtf}. */
export const id = (value: number): TypeId => value as TypeId
