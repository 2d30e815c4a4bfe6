import type { Btf, BtfTypeOf } from '@tsbpf/btf'
import { symbolTypes } from '@tsbpf/elf'
import { isMapOfMaps } from '../map-definition.ts'
import { limits } from '../limits.ts'
import { names } from '../object-file.ts'
import type { MapSpec } from '../object-spec.ts'
import type { PlacedFunction } from './code-sections.ts'
import { flags, relocationTypes } from './draft.ts'
import type { Draft } from './draft.ts'
import { knownStruct, makeStruct, mapTypesOf, pointerSize } from './map-struct.ts'

/** Where a map is declared in the file. */
export interface PlacedMap {
  /** Bytes from the start of `.maps`. */
  readonly offset: number
  /** Number of its symbol. */
  readonly symbol: number
}

interface Row {
  readonly map: MapSpec
  /** Id of its VAR. */
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly valuesOffset: number | undefined
}

/** Maps that `.maps` declares: all but those made of sections. */
function isDeclared(map: MapSpec): boolean {
  return map.data === undefined && map.type !== 'struct_ops'
}

/** Bytes that the initial entries of a map take. */
function entriesSize(draft: Draft, map: MapSpec): number {
  let count = 0
  for (const { index } of map.values) {
    if (!Number.isInteger(index) || index < 0 || index >= limits.mapValues)
      throw draft.fail(`map ${map.name}.values`, `indexes below ${limits.mapValues}`, index)
    count = Math.max(count, index + 1)
  }
  return count * pointerSize
}

/** True for the VAR of a map that another object declares. */
function isExtern(btf: Btf | undefined, type: number): boolean {
  const variable = btf?.type(type)
  return variable?.kind === 'var' && variable.linkage === 'extern'
}

/** The rows of `.maps`: those of the spec's BTF where it declares the same maps, else new ones. */
function rowsOf(draft: Draft, maps: readonly MapSpec[]): readonly Row[] {
  const { spec, types } = draft
  const { btf } = spec
  const datasec = btf?.find(names.maps, 'datasec')
  const variables = new Map<string, { variable: BtfTypeOf<'var'>; offset: number; size: number }>()
  const before = (datasec?.vars ?? []).filter(({ type }) => !isExtern(btf, type))
  for (const { type, offset, size } of before) {
    const variable = btf?.type(type)
    if (variable?.kind === 'var') variables.set(variable.name, { variable, offset, size })
  }
  const made = mapTypesOf(draft)
  let kept = before.length === maps.length
  let end = 0
  const rows = maps.map((map, index): Row => {
    const known = variables.get(map.name)
    const found = known === undefined ? undefined : knownStruct(draft, map, known.variable)
    const { type, size, valuesOffset } = found ?? makeStruct(draft, made, map)
    const entries = valuesOffset === undefined ? 0 : valuesOffset + entriesSize(draft, map)
    const row = { map, offset: end, size: Math.max(size, entries), valuesOffset }
    kept &&=
      found !== undefined && before[index]?.type === known?.variable.id && row.size <= (known?.size ?? 0)
    end = Math.ceil((end + row.size) / pointerSize) * pointerSize
    const variable = { kind: 'var', name: map.name, type, linkage: 'global' } as const
    if (known === undefined) return { ...row, type: types.add(variable) }
    if (found === undefined) types.replace(known.variable.id, variable)
    return { ...row, type: known.variable.id }
  })
  if (kept) {
    return rows.map((row) => {
      const { offset = 0, size = 0 } = variables.get(row.map.name) ?? {}
      return { ...row, offset, size }
    })
  }
  const elsewhere = (datasec?.vars ?? []).filter(({ type }) => isExtern(btf, type))
  const vars = [...rows.map(({ type, offset, size }) => ({ type, offset, size })), ...elsewhere]
  const whole = { kind: 'datasec', name: names.maps, size: end, vars } as const
  if (datasec === undefined) types.add(whole)
  else types.replace(datasec.id, whole)
  return rows
}

/** Adds `.maps`, the symbols of its maps, and relocations for their initial entries. */
export function layMaps(
  draft: Draft,
  functions: ReadonlyMap<string, PlacedFunction>,
): ReadonlyMap<string, PlacedMap> {
  const maps = draft.spec.maps.filter(isDeclared)
  const placed = new Map<string, PlacedMap>()
  if (maps.length === 0) return placed
  const rows = rowsOf(draft, maps)
  const size = rows.reduce((end, row) => Math.max(end, row.offset + row.size), 0)
  if (size > limits.mapsSize)
    throw draft.fail('maps', `declarations of at most ${limits.mapsSize} bytes`, size)
  const number = draft.section({
    name: names.maps,
    flags: flags.writable,
    addralign: 8n,
    data: new Uint8Array(size),
  })
  for (const row of rows) {
    const { name, weak = false } = row.map
    const symbol = draft.symbol({
      name,
      type: symbolTypes.value('object'),
      binding: weak ? 'weak' : 'global',
      section: number,
      value: BigInt(row.offset),
      size: row.size,
    })
    placed.set(name, { offset: row.offset, symbol })
  }
  const programs = new Set(draft.spec.programs.map((program) => program.name))
  for (const { map, offset, valuesOffset = 0 } of rows) {
    const entries = new Set<number>()
    for (const { index, name } of map.values) {
      const path = `map ${map.name}.values[${index}]`
      if (entries.has(index)) throw draft.fail(path, 'one entry', 'two')
      entries.add(index)
      const inMaps = isMapOfMaps(map.typeValue)
      const target = inMaps ? placed.get(name) : programs.has(name) ? functions.get(name) : undefined
      if (target === undefined) throw draft.fail(path, inMaps ? 'a map of .maps' : 'a program', name)
      const at = offset + valuesOffset + index * pointerSize
      draft.relocate(number, { offset: at, symbol: target.symbol, type: relocationTypes.abs64 })
    }
  }
  return placed
}
