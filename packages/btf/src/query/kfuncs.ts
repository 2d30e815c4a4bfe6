import type { Btf, BtfTypeOf } from '../btf-type.ts'
import { funcProto } from './func-proto.ts'

/** A function of the kernel that BPF programs may call. */
export interface Kfunc {
  readonly func: BtfTypeOf<'func'>
  readonly proto: BtfTypeOf<'func_proto'>
  /** True where a decl tag says that it is one; else only its name does. */
  readonly tagged: boolean
}

const kfuncTag = 'bpf_kfunc'

/**
 * The kfuncs of a kernel's or a module's BTF, its base's included: the functions with the decl tag `bpf_kfunc`, which
 * pahole writes with its feature `decl_tag_kfuncs`. Empty for kernels that were built without it (Debian's 6.12 is one),
 * whose BTF does not tell them from other functions; {@link kfunc} finds them by name.
 *
 * @example
 * ```ts
 * import { kfuncs, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * console.log(kfuncs(kernel).map(({ func }) => func.name)) // [ 'bpf_dynptr_slice', ... ]
 * ```
 */
export function kfuncs(btf: Btf): readonly Kfunc[] {
  const seen = new Set<number>()
  const found: Kfunc[] = []
  for (const id of btf.idsByName(kfuncTag, 'decl_tag')) {
    const tag = btf.type(id)
    if (tag.kind !== 'decl_tag' || tag.component !== -1 || seen.has(tag.type)) continue
    seen.add(tag.type)
    const made = kfuncOf(btf, tag.type, true)
    if (made !== undefined) found.push(made)
  }
  return found
}

/**
 * The kfunc with that name: a function that is tagged as one or, where the BTF and its base have no such tags at all,
 * any function with that name, as libbpf takes it; the kernel has the last word. `undefined` where there is none.
 *
 * @example
 * ```ts
 * import { formatType, kfunc, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const found = kfunc(kernel, 'bpf_task_from_pid')
 * if (found !== undefined) console.log(formatType(kernel, found.proto.returnType)) // struct task_struct *
 * ```
 */
export function kfunc(btf: Btf, name: string): Kfunc | undefined {
  const ids = btf.idsByName(name, 'func')
  if (ids.length === 0) return undefined
  const tags = new Set<number>()
  for (const id of btf.idsByName(kfuncTag, 'decl_tag')) {
    const tag = btf.type(id)
    if (tag.kind === 'decl_tag' && tag.component === -1) tags.add(tag.type)
  }
  for (const id of ids) {
    if (tags.size > 0 && !tags.has(id)) continue
    const made = kfuncOf(btf, id, tags.size > 0)
    if (made !== undefined) return made
  }
  return undefined
}

function kfuncOf(btf: Btf, id: number, tagged: boolean): Kfunc | undefined {
  const func = btf.type(id)
  const proto = func.kind === 'func' ? funcProto(btf, id) : undefined
  return func.kind === 'func' && proto !== undefined ? { func, proto, tagged } : undefined
}
