import { fixupDataSections } from '@tsbpf/btf'
import type { Btf, DataSectionPlaces, DataVariablePlace } from '@tsbpf/btf'
import { symbolTypes } from '@tsbpf/elf'
import type { ElfSymbol } from '@tsbpf/elf'
import { layoutKconfig } from './externs.ts'
import { isHidden, names } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'
import type { ExternSpec, ObjectSpec, VariableSpec } from './object-spec.ts'

const object = symbolTypes.value('object')

const noVars: ReadonlyMap<string, DataVariablePlace> = new Map()

function isGlobalObject(symbol: ElfSymbol): boolean {
  return symbol.type === object && (symbol.binding === 'global' || symbol.binding === 'weak')
}

/** The object's BTF with its data sections completed from section headers and symbols. */
export function completeBtf(file: ObjectFile, externs: readonly ExternSpec[]): Btf | undefined {
  const { btf, elf } = file
  if (btf === undefined) return undefined
  const vars = new Map<number, Map<string, DataVariablePlace>>()
  for (const symbol of elf.symbols) {
    if (!isGlobalObject(symbol)) continue
    const place = { offset: Number(symbol.value), hidden: isHidden(symbol) }
    const section = vars.get(symbol.section)
    if (section === undefined) vars.set(symbol.section, new Map([[symbol.name, place]]))
    else if (!section.has(symbol.name)) section.set(symbol.name, place)
  }
  const places = new Map<string, DataSectionPlaces>()
  for (const { index, name, size } of elf.sections) {
    if (index > 0 && !places.has(name)) places.set(name, { size, vars: vars.get(index) ?? noVars })
  }
  // Externs have no section in the file; those of .ksyms have no place at all.
  places.delete(names.ksyms)
  places.delete(names.kconfig)
  if (externs.length > 0) {
    const kconfig = layoutKconfig(externs, btf)
    if (kconfig.size > 0) places.set(names.kconfig, { size: kconfig.size, vars: kconfig.slots })
  }
  return fixupDataSections(btf, places, { name: `${file.file}: section .BTF` })
}

/** The global variables of an object. */
export type FoundVariables = Pick<ObjectSpec, 'variables' | 'hiddenVariables'>

/**
 * The variables of data sections, in file order: those that other files could name. Static ones are left out, as they
 * are by bpftool's skeletons: their names need not be unique.
 */
export function findVariables(file: ObjectFile, btf: Btf | undefined): FoundVariables {
  const bySection = new Map<number, ElfSymbol[]>()
  for (const index of file.data.keys()) bySection.set(index, [])
  if (file.arena !== undefined) bySection.set(file.arena.index, [])
  for (const symbol of file.elf.symbols) {
    if (isGlobalObject(symbol)) bySection.get(symbol.section)?.push(symbol)
  }
  const variables: VariableSpec[] = []
  const hiddenVariables: VariableSpec[] = []
  const known = new Set<string>()
  for (const [index, symbols] of bySection) {
    const section = file.elf.sections[index]
    if (section === undefined) continue
    symbols.sort((a, b) => Number(a.value - b.value))
    for (const symbol of symbols) {
      const { name, value, size } = symbol
      const offset = Number(value)
      if (offset > section.size || size > section.size - offset) {
        throw file.fail('OBJECT_RELOCATION_TARGET', {
          path: `variable ${name} in section ${section.name}`,
          section,
          expected: `an end at or before ${section.size}`,
          actual: String(value + BigInt(size)),
        })
      }
      if (known.has(name)) {
        const path = `variable ${name} in section ${section.name}`
        throw file.fail('OBJECT_DUPLICATE_NAME', {
          path,
          section,
          expected: 'a name of its own',
          actual: 'two of it',
        })
      }
      known.add(name)
      const id = btf?.idsByName(name, 'var')[0]
      const variable = btf === undefined || id === undefined ? undefined : btf.type(id)
      const type = variable?.kind === 'var' ? variable.type : undefined
      const weak = symbol.binding === 'weak' ? { weak: true } : {}
      const into = isHidden(symbol) ? hiddenVariables : variables
      into.push({ name, section: section.name, offset, size, type, ...weak })
    }
  }
  return hiddenVariables.length === 0 ? { variables } : { variables, hiddenVariables }
}
