import { defineTable } from '@tsbpf/base'

/**
 * The kinds of BTF (include/uapi/linux/btf.h): number, the kernel's name, and how many bytes follow the common
 * 12 bytes (`struct btf_type`): `tail` always, and `each` for each of the `vlen` elements.
 */
export const kinds = defineTable('kind', [
  { name: 'void', value: 0, tail: 0, each: 0 },
  { name: 'int', value: 1, tail: 4, each: 0 },
  { name: 'ptr', value: 2, tail: 0, each: 0 },
  { name: 'array', value: 3, tail: 12, each: 0 },
  { name: 'struct', value: 4, tail: 0, each: 12 },
  { name: 'union', value: 5, tail: 0, each: 12 },
  { name: 'enum', value: 6, tail: 0, each: 8 },
  { name: 'fwd', value: 7, tail: 0, each: 0 },
  { name: 'typedef', value: 8, tail: 0, each: 0 },
  { name: 'volatile', value: 9, tail: 0, each: 0 },
  { name: 'const', value: 10, tail: 0, each: 0 },
  { name: 'restrict', value: 11, tail: 0, each: 0 },
  { name: 'func', value: 12, tail: 0, each: 0 },
  { name: 'func_proto', value: 13, tail: 0, each: 8 },
  { name: 'var', value: 14, tail: 4, each: 0 },
  { name: 'datasec', value: 15, tail: 0, each: 12 },
  { name: 'float', value: 16, tail: 0, each: 0 },
  { name: 'decl_tag', value: 17, tail: 4, each: 0 },
  { name: 'type_tag', value: 18, tail: 0, each: 0 },
  { name: 'enum64', value: 19, tail: 0, each: 12 },
])

/** Names of the kinds by their numbers. */
export const kindNames = kinds.rows.map(({ name }) => name)

/** `BTF_INFO_KIND`: bits 24 to 30 (29 and 30 are zero in BTF of kernels before 7.0). */
export function kindOfInfo(info: number): number {
  return (info >>> 24) & 0x7f
}

/** `BTF_INFO_VLEN`: bits 0 to 23 (16 to 23 are zero in BTF of kernels before 7.0). */
export function vlenOfInfo(info: number): number {
  return info & 0xffffff
}

/** `BTF_INFO_KFLAG`: bit 31. */
export function kindFlagOfInfo(info: number): boolean {
  return info >>> 31 === 1
}
