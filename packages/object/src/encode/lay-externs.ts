import type { BtfType } from '@tsbpf/btf'
import { names } from '../object-file.ts'
import type { ExternSpec } from '../object-spec.ts'
import type { Draft } from './draft.ts'

type Described = Extract<BtfType, { kind: 'var' | 'func' }>

/** The first VAR or FUNC of that name, which is the one that a reader of the object takes. */
function describedBy(draft: Draft, name: string): Described | undefined {
  const { btf } = draft.spec
  for (const id of btf?.idsByName(name) ?? []) {
    const type = btf?.type(id)
    if (type?.kind === 'var' || type?.kind === 'func') return type
  }
  return undefined
}

const sectionOf = ({ kind }: ExternSpec): string | undefined =>
  kind === 'global' ? undefined : kind === 'kconfig' ? names.kconfig : names.ksyms

/** Makes the VAR or FUNC of an extern that the spec's BTF does not have. */
function declare(draft: Draft, extern: ExternSpec): { type: number; offset: number; size: number } {
  const { types, spec } = draft
  const { name, kind, type } = extern
  const path = `extern ${name}`
  if (kind === 'kfunc') {
    const prototype =
      type === undefined
        ? types.add({ kind: 'func_proto', returnType: 0, params: [] })
        : spec.btf?.type(type).kind === 'func'
          ? (spec.btf.type(type) as { readonly type: number }).type
          : type
    return { type: types.add({ kind: 'func', name, type: prototype, linkage: 'extern' }), offset: 0, size: 0 }
  }
  if (kind === 'kconfig' && type === undefined) throw draft.fail(path, 'a type', 'none')
  // A ksym without a type is declared `const void`, since a variable cannot be void.
  const variable = type === undefined || type === 0 ? types.add({ kind: 'const', type: 0 }) : type
  const size =
    type === undefined || type === 0 || spec.btf === undefined || kind === 'ksym' ? 0 : spec.btf.sizeOf(type)
  return { type: types.add({ kind: 'var', name, type: variable, linkage: 'extern' }), offset: 0, size }
}

/**
 * Adds the symbols of externs, and describes them in BTF. Kconfig values become extern again, without places: a reader
 * lays them out.
 */
export function layExterns(draft: Draft): ReadonlyMap<string, number> {
  const { spec, types } = draft
  const symbols = new Map<string, number>()
  const sections = new Map<string, { type: number; offset: number; size: number }[]>()
  for (const section of [names.kconfig, names.ksyms]) {
    sections.set(section, [...(spec.btf?.find(section, 'datasec')?.vars ?? [])])
  }
  const changed = new Set<string>()
  for (const extern of spec.externs) {
    const { name, kind, weak } = extern
    if (symbols.has(name)) throw draft.fail(`extern ${name}`, 'a name of its own', 'two of it')
    if (name === '') throw draft.fail('externs', 'names', 'an empty one')
    symbols.set(name, draft.symbol({ name, binding: weak ? 'weak' : 'global' }))
    const section = sectionOf(extern)
    const described = describedBy(draft, name)
    if (section === undefined) {
      if (described?.linkage === 'extern') continue
      throw draft.fail(
        `extern ${name}`,
        'an extern VAR or FUNC of that name in BTF',
        described?.linkage ?? 'none',
      )
    }
    const vars = sections.get(section) ?? []
    const known = described
    const row = vars.findIndex((one) => one.type === known?.id)
    if (known === undefined) {
      vars.push(declare(draft, extern))
      changed.add(section)
    } else if ((known.kind === 'func') !== (kind === 'kfunc') || (row < 0 && known.linkage !== 'extern')) {
      const actual = `${known.linkage} ${known.kind} ${name} of its BTF`
      throw draft.fail(`extern ${name}`, `a ${kind} in ${section}, or no type of that name`, actual)
    } else if (row < 0) {
      const size = kind === 'kconfig' ? (spec.btf?.sizeOf(known.type) ?? 0) : 0
      vars.push({ type: known.id, offset: 0, size })
      changed.add(section)
    } else if (kind === 'kconfig' && known.kind === 'var') {
      vars[row] = { ...vars[row], type: known.id, offset: 0, size: vars[row]?.size ?? 0 }
      types.replace(known.id, { ...known, linkage: 'extern' })
      changed.add(section)
    }
  }
  for (const name of changed) {
    const vars = sections.get(name) ?? []
    const datasec = spec.btf?.find(name, 'datasec')
    if (datasec === undefined) types.add({ kind: 'datasec', name, size: 0, vars })
    else types.replace(datasec.id, { ...datasec, size: 0, vars })
  }
  return symbols
}
