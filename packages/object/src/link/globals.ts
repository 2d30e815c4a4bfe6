import type { Btf } from '@tsbpf/btf'
import { errors } from '../errors.ts'
import { names } from '../object-file.ts'
import type { ExternSpec, FunctionSpec, MapSpec, ObjectSpec, VariableSpec } from '../object-spec.ts'
import { mapDifference, typeDifference } from './same-type.ts'

/** A global name's definition. */
export type Definition = { readonly object: number } & (
  | { readonly kind: 'function'; readonly spec: FunctionSpec }
  | { readonly kind: 'variable'; readonly spec: VariableSpec }
  | { readonly kind: 'map'; readonly spec: MapSpec }
)

/** A name that objects share: what it stands for once they are one. */
export interface Global {
  readonly name: string
  definition: Definition | undefined
  /** The extern that stands for it where nothing defines it. */
  extern: { readonly object: number; readonly spec: ExternSpec } | undefined
  /** True while all that define it do so weakly; of an extern, all that declare it. */
  weak: boolean
  /** True once one of those that define it hides it. */
  hidden: boolean
}

/** The VAR of a variable or map, in the section where it is. */
export function variableId(btf: Btf | undefined, section: string, name: string): number | undefined {
  return btf?.find(section, 'datasec')?.vars.find(({ type }) => btf.nameOf(type) === name)?.type
}

/** The FUNC or VAR that describes an extern. */
export function externId(btf: Btf | undefined, name: string): number | undefined {
  return btf?.idsByName(name).find((id) => btf.kind(id) === 'var' || btf.kind(id) === 'func')
}

/** The FUNC or VAR that describes a definition. */
export function definitionId(btf: Btf | undefined, { kind, spec }: Definition): number | undefined {
  if (kind === 'function') return spec.btfFunc
  if (kind === 'variable') return variableId(btf, spec.section, spec.name)
  return variableId(btf, names.maps, spec.name)
}

function definitionsOf(spec: ObjectSpec, object: number): readonly (Definition & { hidden: boolean })[] {
  const functions = [...spec.programs, ...spec.subprograms].filter(({ binding }) => binding !== 'local')
  const variables = [...spec.variables, ...(spec.hiddenVariables ?? [])]
  const hidden = new Set(spec.hiddenVariables)
  return [
    ...functions.map((fn) => ({ object, kind: 'function', spec: fn, hidden: fn.hidden === true }) as const),
    ...variables.map((one) => ({ object, kind: 'variable', spec: one, hidden: hidden.has(one) }) as const),
    ...spec.maps
      .filter((map) => map.data === undefined)
      .map((map) => ({ object, kind: 'map', spec: map, hidden: false }) as const),
  ]
}

const isWeak = (definition: Definition): boolean =>
  definition.kind === 'function' ? definition.spec.binding === 'weak' : definition.spec.weak === true

/** Finds what each global name stands for, strong definitions before weak ones, first ones before later ones. */
export function resolveGlobals(
  specs: readonly ObjectSpec[],
  labels: readonly string[],
): ReadonlyMap<string, Global> {
  const globals = new Map<string, Global>()
  const label = (object: number): string => labels[object] ?? String(object)
  const differ = (name: string, first: number, second: number, what: string): Error =>
    errors.OBJECT_LINK_TYPE({ name, first: label(first), second: label(second), what })
  /** Two that share a name have to be of one type. */
  const compare = (global: Global, object: number, next: Definition | ExternSpec): void => {
    const { name, definition, extern } = global
    const known =
      definition ?? (extern === undefined ? undefined : { object: extern.object, kind: 'extern' as const })
    if (known === undefined) return
    const [aBtf, bBtf] = [specs[known.object]?.btf, specs[object]?.btf]
    const isDefinition = 'object' in next
    if (known.kind === 'map' && isDefinition && next.kind === 'map') {
      // A `struct bpf_map_def` is data like any other: what it says need not be equal.
      if (variableId(aBtf, names.legacyMaps, name) !== undefined) return
      const what = mapDifference(aBtf, known.spec, bBtf, next.spec)
      if (what !== undefined) throw differ(name, known.object, object, what)
      return
    }
    const a = known.kind === 'extern' ? externId(aBtf, name) : definitionId(aBtf, known)
    const b = isDefinition ? definitionId(bBtf, next) : externId(bBtf, name)
    if (aBtf === undefined || bBtf === undefined || a === undefined || b === undefined) {
      throw differ(name, known.object, object, 'a description in BTF and none')
    }
    const what = typeDifference(aBtf, a, bBtf, b)
    if (what !== undefined) throw differ(name, known.object, object, what)
  }
  const globalOf = (name: string): Global => {
    let global = globals.get(name)
    if (global === undefined) {
      global = { name, definition: undefined, extern: undefined, weak: true, hidden: false }
      globals.set(name, global)
    }
    return global
  }

  specs.forEach((spec, object) => {
    for (const { hidden, ...definition } of definitionsOf(spec, object)) {
      const { name } = definition.spec
      const global = globalOf(name)
      const before = global.definition
      const weak = isWeak(definition)
      if (before !== undefined && !weak && !isWeak(before)) {
        throw errors.OBJECT_LINK_CONFLICT({ name, first: label(before.object), second: label(object) })
      }
      if (global.extern !== undefined && global.extern.spec.kind !== 'global') {
        const what = `a ${global.extern.spec.kind} and a ${definition.kind} of the object`
        throw differ(name, global.extern.object, object, what)
      }
      compare(global, object, definition)
      if (before === undefined || (isWeak(before) && !weak)) global.definition = definition
      global.weak = weak && (global.weak || before === undefined)
      global.hidden ||= hidden
    }
    for (const extern of spec.externs) {
      const global = globalOf(extern.name)
      const { definition } = global
      const other = global.extern?.spec.kind ?? (definition === undefined ? extern.kind : 'global')
      if (other !== extern.kind) {
        const first = definition?.object ?? global.extern?.object ?? object
        throw differ(extern.name, first, object, `a ${other} and a ${extern.kind}`)
      }
      compare(global, object, extern)
      global.extern ??= { object, spec: extern }
      if (definition === undefined) global.weak &&= extern.weak
    }
  })
  return globals
}
