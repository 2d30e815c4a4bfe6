import type { TypeId } from '@tsbpf/base'
import { btfBuilder, dedupBtf } from '@tsbpf/btf'
import type { Btf, BtfType, BtfTypeInput, BtfTypeOf } from '@tsbpf/btf'
import { names } from '../object-file.ts'
import type { ObjectSpec } from '../object-spec.ts'
import { definitionId, externId, variableId } from './globals.ts'
import type { Global } from './globals.ts'
import type { SectionLayout } from './section-layout.ts'

/** The BTF of the linked object, and where the types of each object have come to be. */
export interface MergedTypes {
  readonly btf: Btf
  /** The id of a type of an object in the merged BTF. */
  type(object: number, id: TypeId): TypeId
}

/** Sections whose variables have no places in a file. */
const placeless: readonly string[] = [names.ksyms, names.kconfig]
/** Sections of which the linked object has that of the first object. */
const single: readonly string[] = ['license', 'version']

/** A type with other ids in the place of those that it refers to. */
function withIds(type: Exclude<BtfType, { kind: 'void' }>, to: (id: number) => number): BtfTypeInput {
  switch (type.kind) {
    case 'array':
      return { ...type, type: to(type.type), indexType: to(type.indexType) }
    case 'struct':
    case 'union':
      return { ...type, members: type.members.map((member) => ({ ...member, type: to(member.type) })) }
    case 'func_proto': {
      const params = type.params.map((param) => ({ ...param, type: to(param.type) }))
      return { ...type, returnType: to(type.returnType), params }
    }
    case 'datasec':
      return { ...type, vars: type.vars.map((row) => ({ ...row, type: to(row.type) })) }
    case 'int':
    case 'enum':
    case 'enum64':
    case 'fwd':
    case 'float':
      return type
    default:
      return { ...type, type: to(type.type) }
  }
}

/** The key under which objects share the VARs and FUNCs of an object, by id. */
function sharedIds(spec: ObjectSpec, btf: Btf, globals: ReadonlyMap<string, Global>): Map<number, string> {
  const shared = new Map<number, string>()
  for (const section of single) {
    for (const { type } of btf.find(section, 'datasec')?.vars ?? []) shared.set(type, `section ${section}`)
  }
  for (let id = btf.firstId; id < btf.endId; id++) {
    const kind = btf.kind(id)
    if ((kind !== 'var' && kind !== 'func') || shared.has(id)) continue
    const type = btf.type(id)
    if ((type.kind !== 'var' && type.kind !== 'func') || type.linkage === 'static') continue
    if (globals.has(type.name)) shared.set(id, `global ${type.name}`)
  }
  // Hidden ones are static in a spec's BTF.
  for (const { name, section } of spec.hiddenVariables ?? []) {
    const id = variableId(btf, section, name)
    if (id !== undefined) shared.set(id, `global ${name}`)
  }
  for (const { hidden, btfFunc, name } of spec.subprograms) {
    if (hidden === true && btfFunc !== undefined) shared.set(btfFunc, `global ${name}`)
  }
  return shared
}

/**
 * Puts the types of all objects into one BTF: of what objects share the type of the definition that counts, sections of
 * variables with rows at their new places, the rest one after the other, and of equal types one.
 */
export function mergeTypes(
  specs: readonly ObjectSpec[],
  globals: ReadonlyMap<string, Global>,
  layout: SectionLayout,
  byteOrder: ObjectSpec['byteOrder'],
): MergedTypes | undefined {
  if (specs.every(({ btf }) => btf === undefined)) return undefined
  const shared = specs.map((spec) =>
    spec.btf === undefined ? new Map<number, string>() : sharedIds(spec, spec.btf, globals),
  )
  /** By key: whose type counts. */
  const owners = new Map<string, { object: number; id: number }>()
  for (const { name, definition, extern } of globals.values()) {
    const object = definition?.object ?? extern?.object ?? 0
    const btf = specs[object]?.btf
    const id = definition === undefined ? externId(btf, name) : definitionId(btf, definition)
    if (id !== undefined) owners.set(`global ${name}`, { object, id })
  }
  shared.forEach((ids, object) => {
    for (const [id, key] of ids) if (!owners.has(key)) owners.set(key, { object, id })
  })

  // What objects share stands where the first of them has it, and is what the owner says.
  const moved = specs.map(({ btf }) => new Uint32Array(btf?.endId ?? 0))
  const places = new Map<string, number>()
  let next = 1
  specs.forEach(({ btf }, object) => {
    const own = moved[object]
    for (let id = 1; btf !== undefined && own !== undefined && id < btf.endId; id++) {
      if (btf.kind(id) === 'datasec') continue
      const key = shared[object]?.get(id)
      own[id] = (key === undefined ? undefined : places.get(key)) ?? next
      if (own[id] !== next) continue
      if (key !== undefined) places.set(key, next)
      next++
    }
  })

  const builder = btfBuilder({ rules: 'none', name: 'linked BTF' })
  /** The type that counts in the place of one that objects share. */
  const counted = (object: number, id: number): BtfTypeInput | undefined => {
    const owner = owners.get(shared[object]?.get(id) ?? '')
    const type = owner === undefined ? undefined : specs[owner.object]?.btf?.type(owner.id)
    if (owner === undefined || type === undefined || type.kind === 'void') return undefined
    return withIds(type, (of) => moved[owner.object]?.[of] ?? 0)
  }
  /** Prototypes of externs, which have no names of parameters, get those of the definition, so as to be one with it. */
  const prototypes = new Map<string, BtfTypeOf<'func_proto'>>()
  shared.forEach((ids, object) => {
    for (const [id, key] of ids) {
      const [extern, owner] = [specs[object]?.btf?.type(id), owners.get(key)]
      const own = owner === undefined ? undefined : specs[owner.object]?.btf
      const definition = owner === undefined ? undefined : own?.type(owner.id)
      if (extern?.kind !== 'func' || extern.linkage !== 'extern' || definition?.kind !== 'func') continue
      const prototype = own?.type(definition.type)
      if (prototype?.kind === 'func_proto') prototypes.set(`${object}:${extern.type}`, prototype)
    }
  })
  const named = (object: number, id: number, type: Exclude<BtfType, { kind: 'void' }>) => {
    const known = prototypes.get(`${object}:${id}`)?.params
    if (type.kind !== 'func_proto' || known === undefined) return type
    const params = type.params.map((one, index) => ({ ...one, name: known[index]?.name ?? one.name }))
    return { ...type, params }
  }
  const sections = new Map<string, { type: number; offset: number; size: number }[]>()
  const sizes = new Map<string, number>()
  specs.forEach(({ btf }, object) => {
    const to = (id: number): number => moved[object]?.[id] ?? 0
    for (let id = 1; btf !== undefined && id < btf.endId; id++) {
      const type = btf.type(id)
      if (type.kind === 'void') continue
      if (type.kind !== 'datasec') {
        if (to(id) === builder.endId) builder.add(counted(object, id) ?? withIds(named(object, id, type), to))
        continue
      }
      const { name, size, vars } = type
      // Their maps are declared anew, in `.maps`.
      if (name === names.legacyMaps) continue
      const rows = sections.get(name) ?? []
      sections.set(name, rows)
      const at = placeless.includes(name) || single.includes(name) ? 0 : layout.offsetOf(object, name)
      if (!sizes.has(name)) sizes.set(name, size)
      for (const row of vars) {
        const owner = owners.get(shared[object]?.get(row.type) ?? '')
        if (owner !== undefined && (owner.object !== object || owner.id !== row.type)) continue
        rows.push({ ...row, type: to(row.type), offset: at + row.offset })
      }
    }
  })
  for (const [name, vars] of sections) {
    const fixed = placeless.includes(name) || single.includes(name)
    const size = fixed ? (sizes.get(name) ?? 0) : layout.sizeOf(name)
    // Nothing is left of a section in which there were only variables that another object defines.
    if (vars.length > 0 || size > 0) {
      builder.add({ kind: 'datasec', name, size, vars: vars.toSorted((a, b) => a.offset - b.offset) })
    }
  }
  const { btf, ids } = dedupBtf(builder.open({ littleEndian: byteOrder === 'little' }), {
    name: 'linked BTF',
  })
  return { btf, type: (object, id) => (ids[moved[object]?.[id] ?? 0] ?? 0) as TypeId }
}
