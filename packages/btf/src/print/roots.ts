import { nearest } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfKind } from '../btf-type.ts'
import { errors } from '../errors.ts'

/** A type to start from: its id, its name (`task_struct`), or its kind and name (`struct task_struct`). */
export type BtfRoot = TypeId | number | string

const keywords = new Map<string, readonly BtfKind[]>([
  ['struct', ['struct', 'fwd']],
  ['union', ['union', 'fwd']],
  ['enum', ['enum', 'enum64']],
  ['typedef', ['typedef']],
])

/** Kinds of types whose values have a name to be asked for by, the first of which is meant where several share it. */
const anyKind: readonly BtfKind[] = [
  'struct',
  'union',
  'enum',
  'enum64',
  'typedef',
  'int',
  'float',
  'datasec',
  'fwd',
]

/**
 * The id of a type that a user names: `task_struct`, or `struct task_struct` where several kinds share the name.
 *
 * Throws `BTF_NO_TYPE` with the nearest name.
 *
 * @example
 * ```ts
 * import { codec, parseBtf, resolveRoot } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * console.log(codec(kernel, resolveRoot(kernel, 'struct list_head')).size) // 16
 * ```
 */
export function resolveRoot(btf: Btf, root: BtfRoot): number {
  if (typeof root !== 'string') {
    btf.kind(root)
    return root
  }
  const space = root.indexOf(' ')
  const kinds = space < 0 ? undefined : keywords.get(root.slice(0, space))
  const name = kinds === undefined ? root : root.slice(space + 1).trim()
  const wanted = kinds ?? anyKind
  const ids = btf.idsByName(name)
  for (const kind of wanted) {
    const found = ids.find((id) => btf.kind(id) === kind)
    if (found !== undefined) return found
  }
  const names = new Set<string>()
  for (let id = 1; id < btf.endId; id++) if (wanted.includes(btf.kind(id))) names.add(btf.nameOf(id))
  throw errors.BTF_NO_TYPE({ file: 'BTF', name: root, near: nearest(name, names) })
}

/** Ids of the roots where there are some, else of all types of a BTF without its base. */
export function idsToPrint(btf: Btf, { roots }: { readonly roots?: readonly BtfRoot[] }): Iterable<number> {
  if (roots !== undefined) return roots.map((root) => resolveRoot(btf, root))
  return Uint32Array.from({ length: btf.endId - btf.firstId }, (_, i) => btf.firstId + i)
}
