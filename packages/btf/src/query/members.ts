import type { BitOffset, TypeId } from '@tsbpf/base'
import type { Btf, BtfType } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { limits } from '../limits.ts'
import { memberBits } from '../member-bits.ts'

/** Where a member, or an element of an array, is within a type. */
export interface MemberPlace {
  /** The member's name; that of the array, for an element. */
  readonly name: string
  /** Its declared type. */
  readonly type: TypeId
  /** From the start of the outermost type; counted from the high bit of each byte in big-endian BTF. */
  readonly offsetBits: BitOffset
  readonly sizeBits: number
  readonly bitfield: boolean
}

/** A member as it stands in its own struct, union or data section; its place is found when asked for. */
export interface DirectMember {
  readonly name: string
  /** The anonymous struct or union that it is. */
  readonly anonymous: BtfType | undefined
  /** Its place, when its owner is at that bit. */
  readonly place: (ownerBits: number) => MemberPlace
}

/** The type whose members a type has: behind typedefs, modifiers and a variable. */
export function ownerOf(btf: Btf, id: number): BtfType {
  const type = btf.resolve(id)
  return type.kind === 'var' ? btf.resolve(type.type) : type
}

/** The members of one struct, union or data section; none for other types. Unnamed bitfields are left out. */
export function* directMembers(btf: Btf, owner: BtfType): Generator<DirectMember> {
  if (owner.kind === 'datasec') {
    for (const { type, offset, size } of owner.vars) {
      const name = btf.nameOf(type)
      const place = (at: number): MemberPlace => ({
        ...{ name, type, sizeBits: size * 8, bitfield: false },
        offsetBits: (at + offset * 8) as BitOffset,
      })
      yield { name, anonymous: undefined, place }
    }
    return
  }
  if (owner.kind !== 'struct' && owner.kind !== 'union') return
  for (const member of owner.members) {
    const { name, type } = member
    let anonymous: BtfType | undefined
    if (name === '') {
      anonymous = btf.resolve(type)
      if (anonymous.kind !== 'struct' && anonymous.kind !== 'union') continue
    }
    const place = (at: number): MemberPlace => {
      const { offsetBits, sizeBits, bitfield } = memberBits(btf, member)
      return { name, type, offsetBits: (at + offsetBits) as BitOffset, sizeBits, bitfield }
    }
    yield { name, anonymous, place }
  }
}

/** The error for a type that has no members. */
export function noMembers(btf: Btf, type: BtfType, path: string, hint?: string): unknown {
  const actual = formatType(btf, type.id)
  return errors.BTF_MEMBER({ type: actual, path, expected: 'a struct, union or data section', actual, hint })
}

/**
 * The members of a struct, union or data section with their places in bits, through typedefs and modifiers. Members of
 * anonymous members are among them, as in C, in the order of their declaration; unnamed bitfields, which are padding,
 * are not. A flexible array has no bits.
 *
 * Throws `BTF_MEMBER` for a type that has no members, `BTF_NO_SIZE` where a member's type has no size, `BTF_CYCLE`
 * and `BTF_LAYOUT` for anonymous members within themselves or without measure.
 *
 * @example
 * ```ts
 * import { members, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const task = kernel.find('task_struct', 'struct')
 * for (const { name, offsetBits, sizeBits } of members(kernel, task?.id ?? 0)) {
 *   console.log(name, offsetBits / 8, sizeBits / 8)
 * }
 * ```
 */
export function members(btf: Btf, id: TypeId | number): readonly MemberPlace[] {
  const owner = ownerOf(btf, id)
  if (owner.kind !== 'struct' && owner.kind !== 'union' && owner.kind !== 'datasec') {
    throw noMembers(btf, owner, 'members')
  }
  const list: MemberPlace[] = []
  const most = limits.valuesOfNothing + owner.size * 16
  let steps = 0
  /** Recursion is bounded by the limit on depth, repetition by that on steps. */
  const visit = (type: BtfType, offset: number, depth: number): void => {
    if (depth > limits.valueDepth) {
      throw errors.BTF_CYCLE({ file: 'BTF', id: type.id, type: formatType(btf, type.id) })
    }
    for (const { anonymous, place } of directMembers(btf, type)) {
      if (++steps > most) {
        const expected = 'at most 16 members for each byte'
        const context = { file: 'BTF', id: owner.id, type: formatType(btf, owner.id) }
        throw errors.BTF_LAYOUT({ ...context, expected, actual: 'more' })
      }
      const found = place(offset)
      if (anonymous === undefined) list.push(found)
      else visit(anonymous, found.offsetBits, depth + 1)
    }
  }
  visit(owner, 0, 1)
  return list
}
