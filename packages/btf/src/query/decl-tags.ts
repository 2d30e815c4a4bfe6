import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfTypeOf } from '../btf-type.ts'
import { layersOf, ownTypes } from './own-types.ts'

type DeclTag = BtfTypeOf<'decl_tag'>

/** Tags of one BTF's own, its base's not among them, by the id of what they are on. */
const tagsByTarget = new WeakMap<Btf, ReadonlyMap<number, readonly DeclTag[]>>()

function ownTags(btf: Btf): ReadonlyMap<number, readonly DeclTag[]> {
  const before = tagsByTarget.get(btf)
  if (before !== undefined) return before
  const byTarget = new Map<number, DeclTag[]>()
  for (const id of ownTypes(btf).declTags) {
    const tag = btf.type(id)
    if (tag.kind !== 'decl_tag') continue
    const known = byTarget.get(tag.type)
    if (known === undefined) byTarget.set(tag.type, [tag])
    else known.push(tag)
  }
  tagsByTarget.set(btf, byTarget)
  return byTarget
}

/**
 * The decl tags (`__attribute__((btf_decl_tag("...")))`, `BTF_KIND_DECL_TAG`) on a type, by ascending id, its base's
 * first: all of them, or with `component` those on the type itself (-1), or on that member or parameter, counted from 0.
 * A type is a struct, union, typedef, function or variable; tags are on it and not on what a typedef stands for. The
 * first call looks through all types for tags. Clang writes them since version 14.
 *
 * @example
 * ```ts
 * import { declTags, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const [func] = kernel.idsByName('bpf_cpumask_create', 'func')
 * console.log(declTags(kernel, func ?? 0).map((tag) => tag.name)) // [ 'bpf_kfunc' ] on kernels with tags
 * ```
 */
export function declTags(btf: Btf, id: TypeId | number, component?: number): readonly DeclTag[] {
  const tags: DeclTag[] = []
  for (const layer of layersOf(btf)) {
    for (const tag of ownTags(layer).get(id) ?? []) {
      if (component === undefined || tag.component === component) tags.push(tag)
    }
  }
  return tags
}
