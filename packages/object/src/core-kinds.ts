import { defineTable } from '@tsbpf/base'

/** What a kind asks about: a field, a type as a whole, or an enumerator. */
export type CoreKindGroup = 'field' | 'type' | 'enumval'

/**
 * The kinds of CO-RE relocations: number (enum bpf_core_relo_kind, include/uapi/linux/bpf.h), the name that libbpf's
 * debug log gives it (tools/lib/bpf/relo_core.c), and what it asks about.
 *
 * @example
 * ```ts
 * import { coreKinds } from '@tsbpf/object'
 * console.log(coreKinds.format(0), coreKinds.byName('type_exists')?.group) // byte_off type
 * ```
 */
export const coreKinds = defineTable('core_relo_kind', [
  { name: 'byte_off', value: 0, group: 'field' },
  { name: 'byte_sz', value: 1, group: 'field' },
  { name: 'field_exists', value: 2, group: 'field' },
  { name: 'signed', value: 3, group: 'field' },
  { name: 'lshift_u64', value: 4, group: 'field' },
  { name: 'rshift_u64', value: 5, group: 'field' },
  { name: 'local_type_id', value: 6, group: 'type' },
  { name: 'target_type_id', value: 7, group: 'type' },
  { name: 'type_exists', value: 8, group: 'type' },
  { name: 'type_size', value: 9, group: 'type' },
  { name: 'enumval_exists', value: 10, group: 'enumval' },
  { name: 'enumval_value', value: 11, group: 'enumval' },
  { name: 'type_matches', value: 12, group: 'type' },
])

/** One row of {@link coreKinds}. */
export type CoreKind = (typeof coreKinds.rows)[number]

/** Name of a kind of CO-RE relocation. */
export type CoreKindName = CoreKind['name']
