import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'

/** A declaration tag (`__attribute__((btf_decl_tag("…")))`). */
export interface DeclTag {
  /** Its text: `arg:ctx` for `__arg_ctx`, `exception_callback:name`, and whatever else the source says. */
  readonly tag: string
  /** Which member of a struct or argument of a function it belongs to; -1 for the whole type, variable or function. */
  readonly component: number
}

const none: readonly DeclTag[] = []
const indexes = new WeakMap<Btf, ReadonlyMap<TypeId, readonly DeclTag[]>>()

/**
 * The declaration tags of a FUNC, VAR, struct, union or typedef of a BTF, in the order of the BTF; those of a function
 * are found by `FunctionSpec.btfFunc`. One pass over the BTF serves all calls.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { declTags, parseObject } from '@tsbpf/object'
 * const { btf, subprograms } = parseObject(await readFile('app.bpf.o'))
 * for (const { name, btfFunc } of subprograms) {
 *   if (btf !== undefined && btfFunc !== undefined) console.log(name, declTags(btf, btfFunc))
 * }
 * ```
 */
export function declTags(btf: Btf, id: TypeId): readonly DeclTag[] {
  return taggedTypes(btf).get(id) ?? none
}

/** All tags, by the id of what they belong to. */
export function taggedTypes(btf: Btf): ReadonlyMap<TypeId, readonly DeclTag[]> {
  const known = indexes.get(btf)
  if (known !== undefined) return known
  const found = new Map<TypeId, DeclTag[]>()
  for (let id = btf.firstId; id < btf.endId; id++) {
    if (btf.kind(id) !== 'decl_tag') continue
    const type = btf.type(id)
    if (type.kind !== 'decl_tag') continue
    const tag = { tag: type.name, component: type.component }
    const list = found.get(type.type)
    if (list === undefined) found.set(type.type, [tag])
    else list.push(tag)
  }
  indexes.set(btf, found)
  return found
}
