import type { Btf, BtfMember } from './btf-type.ts'

/** Where a member is, in bits, and whether it is a bitfield. */
export interface MemberBits {
  /** From the start of the struct; counted from the high bit of each byte in big-endian BTF. */
  readonly offsetBits: number
  readonly sizeBits: number
  readonly bitfield: boolean
}

/**
 * Place and size of a member by either encoding of bitfields: that of the struct (`kind_flag`), or the older one of
 * the member's int type, whose `bits` and offset are then part of it (Documentation/bpf/btf.rst, "BTF_KIND_INT").
 * Throws `BTF_NO_SIZE` where the member's type has no size.
 *
 * @example
 * ```ts
 * import { memberBits, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const iphdr = kernel.find('iphdr', 'struct')
 * for (const member of iphdr?.members ?? []) console.log(member.name, memberBits(kernel, member))
 * ```
 */
export function memberBits(btf: Btf, member: BtfMember): MemberBits {
  if (member.bitfieldSizeBits > 0) {
    return { offsetBits: member.offsetBits, sizeBits: member.bitfieldSizeBits, bitfield: true }
  }
  const type = btf.resolve(member.type)
  if (type.kind === 'int' && (type.offsetBits !== 0 || type.bits !== type.size * 8)) {
    return { offsetBits: member.offsetBits + type.offsetBits, sizeBits: type.bits, bitfield: true }
  }
  return { offsetBits: member.offsetBits, sizeBits: btf.sizeOf(member.type) * 8, bitfield: false }
}
