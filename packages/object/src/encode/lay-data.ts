import { sectionTypes, symbolTypes, symbolVisibilities } from '@tsbpf/elf'
import { limits } from '../limits.ts'
import { names } from '../object-file.ts'
import type { MapSpec, VariableSpec } from '../object-spec.ts'
import { flags } from './draft.ts'
import type { Draft } from './draft.ts'
import type { PlacedData } from './relocate-code.ts'

const object = symbolTypes.value('object')
const hidden = symbolVisibilities.value('hidden')
const nobits = sectionTypes.value('nobits')

/** Names that make a section one of its kind. */
const prefixes = { rodata: '.rodata', data: '.data', bss: '.bss' } as const

function layMap(draft: Draft, map: MapSpec, data: NonNullable<MapSpec['data']>): number | undefined {
  const { name, valueSize } = map
  const { externs } = draft.spec
  const path = `map ${name}`
  if (data.section === 'kconfig') {
    // It has no section: a reader makes it of the externs.
    if (name === names.kconfig && externs.some(({ kind }) => kind === 'kconfig')) return undefined
    throw draft.fail(path, 'kconfig externs, and a map .kconfig', 'bytes')
  }
  const prefix = prefixes[data.section]
  if (name !== prefix && !name.startsWith(`${prefix}.`)) {
    throw draft.fail(`${path}.name`, `${prefix}, or ${prefix}. and a name`, name)
  }
  if (!Number.isInteger(valueSize) || valueSize <= 0 || valueSize > limits.dataSize) {
    throw draft.fail(`${path}.valueSize`, `1 to ${limits.dataSize} bytes`, valueSize)
  }
  const addralign = BigInt(data.align ?? 8)
  if (data.section === 'bss') {
    return draft.section({ name, type: nobits, flags: flags.writable, addralign, size: valueSize })
  }
  if (data.bytes.length !== valueSize)
    throw draft.fail(`${path}.data.bytes`, `${valueSize} bytes, as valueSize says`, data.bytes.length)
  const permission = data.section === 'rodata' ? flags.readOnly : flags.writable
  return draft.section({ name, flags: permission, addralign, data: data.bytes })
}

/** Symbols of the variables of one section; throws where two share bytes without being one. */
function layVariables(
  draft: Draft,
  map: Pick<MapSpec, 'name' | 'valueSize'>,
  section: number,
  variables: readonly (VariableSpec & { readonly hidden: boolean })[],
): Map<number, number> {
  const symbols = new Map<number, number>()
  let last: VariableSpec | undefined
  for (const variable of variables.toSorted((a, b) => a.offset - b.offset)) {
    const { name, offset, size, weak = false } = variable
    const path = `variable ${name}`
    const fits = Number.isInteger(offset) && offset >= 0 && Number.isInteger(size) && size >= 0
    if (!fits || offset + size > map.valueSize) {
      throw draft.fail(path, `bytes of the ${map.valueSize} of ${map.name}`, `${size} at ${offset}`)
    }
    const alias = last?.offset === offset && last.size === size
    if (last !== undefined && !alias && offset < last.offset + last.size) {
      const expected = `a start at or after the end of ${last.name}, ${last.offset + last.size}`
      throw draft.fail(`${path}.offset`, expected, offset)
    }
    last = variable
    const symbol = draft.symbol({
      name,
      type: object,
      binding: weak ? 'weak' : 'global',
      section,
      value: BigInt(offset),
      size,
      ...(variable.hidden ? { visibility: hidden } : {}),
    })
    if (!symbols.has(offset)) symbols.set(offset, symbol)
  }
  return symbols
}

/**
 * Describes the variables of a section, where types of all of them are known and the BTF has no such section: without
 * it user space could not map the section, and nobody could print it.
 */
function describe(draft: Draft, map: MapSpec, variables: readonly VariableSpec[]): void {
  if (variables.length === 0 || draft.spec.btf?.find(map.name, 'datasec') !== undefined) return
  const vars: { type: number; offset: number; size: number }[] = []
  for (const { name, type, offset, size } of variables.toSorted((a, b) => a.offset - b.offset)) {
    if (type === undefined) return
    const variable = draft.types.add({ kind: 'var', name, type, linkage: 'global' })
    vars.push({ type: variable, offset, size })
  }
  draft.types.add({ kind: 'datasec', name: map.name, size: map.valueSize, vars })
}

/** Adds the sections of global data and the symbols of their global variables. */
export function layData(draft: Draft): Map<string, PlacedData> {
  const { variables, hiddenVariables = [] } = draft.spec
  const placed = new Map<string, PlacedData>()
  const bySection = new Map<string, (VariableSpec & { readonly hidden: boolean })[]>()
  const known = new Set<string>()
  const add = (variable: VariableSpec, isHidden: boolean): void => {
    if (known.has(variable.name))
      throw draft.fail(`variable ${variable.name}`, 'a name of its own', 'two of it')
    known.add(variable.name)
    const list = bySection.get(variable.section)
    if (list === undefined) bySection.set(variable.section, [{ ...variable, hidden: isHidden }])
    else list.push({ ...variable, hidden: isHidden })
  }
  for (const variable of variables) add(variable, false)
  for (const variable of hiddenVariables) add(variable, true)
  for (const map of draft.spec.maps) {
    const section = map.data === undefined ? undefined : layMap(draft, map, map.data)
    if (section === undefined) continue
    const own = bySection.get(map.name) ?? []
    bySection.delete(map.name)
    placed.set(map.name, { section, symbols: layVariables(draft, map, section, own) })
    describe(draft, map, own)
  }
  const arena = draft.spec.maps.find((map) => map.arena !== undefined)
  if (arena?.arena !== undefined) {
    const { length } = arena.arena
    const section = draft.section({
      name: names.arena,
      flags: flags.writable,
      addralign: 8n,
      data: arena.arena,
    })
    const own = bySection.get(names.arena) ?? []
    bySection.delete(names.arena)
    const symbols = layVariables(draft, { name: names.arena, valueSize: length }, section, own)
    // Instructions refer to it as the arena.
    placed.set(arena.name, { section, symbols })
  }
  for (const [section, [first]] of bySection) {
    throw draft.fail(`variable ${first?.name ?? ''}.section`, 'a data section of the object', section)
  }
  return placed
}
