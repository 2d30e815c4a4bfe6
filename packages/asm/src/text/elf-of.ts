import { sectionTypes, symbolTypes, symbolVisibilities } from '@tsbpf/elf'
import type { ElfSectionSpec, ElfSpec, ElfSymbolSpec } from '@tsbpf/elf'
import { TextFault } from './arguments.ts'
import { isTemporary, nobitsType, report } from './assembly.ts'
import type { AsmSection, Assembly, AsmSymbol } from './assembly.ts'
import { declaredBtf } from './declared-btf.ts'
import { evaluate } from './expression.ts'
import { limits } from './limits.ts'
import { resolve } from './resolve.ts'
import { isCode } from './section-directives.ts'

/** Symbols of a section that are functions, or that must be: global names of code that no directive says more of. */
function functionsOf(assembly: Assembly): ReadonlyMap<AsmSection, readonly AsmSymbol[]> {
  const functions = new Map<AsmSection, AsmSymbol[]>()
  for (const symbol of assembly.symbols.values()) {
    const { section } = symbol
    if (section === undefined || !isCode(section.flags) || section.skipped) continue
    if (symbol.type === 'notype' && symbol.binding !== 'local') symbol.type = 'func'
    if (symbol.type !== 'func') continue
    const known = functions.get(section)
    if (known === undefined) functions.set(section, [symbol])
    else known.push(symbol)
  }
  for (const list of functions.values()) list.sort((a, b) => a.offset - b.offset)
  return functions
}

/** Code without a function is no part of an object that anybody could load. */
function checkCode(assembly: Assembly, functions: ReadonlyMap<AsmSection, readonly AsmSymbol[]>): void {
  for (const section of assembly.sections.values()) {
    const { firstInsn } = section
    if (firstInsn === undefined || functions.has(section)) continue
    report(assembly, firstInsn, {
      at: firstInsn.at,
      expected: `a function before the code of section ${section.name}: .globl name, then name:`,
      actual: 'an instruction',
      suggestion: undefined,
    })
  }
}

function sizeOf(assembly: Assembly, symbol: AsmSymbol, functions: readonly AsmSymbol[] | undefined): number {
  if (symbol.size === undefined) {
    if (symbol.type !== 'func') return 0
    // A function ends where the next one starts.
    const next = functions?.find((other) => other.offset > symbol.offset)
    return (next?.offset ?? symbol.section?.size ?? 0) - symbol.offset
  }
  const value = evaluate(assembly, symbol.size, symbol.at)
  if (value.kind === 'number' && value.value >= 0n && value.value <= 0xffff_ffffn) return Number(value.value)
  throw new TextFault(symbol.at, 'a size', value.kind === 'number' ? String(value.value) : 'a place')
}

/** A symbol set to another is another name for its place. */
function placed(assembly: Assembly, symbol: AsmSymbol): Pick<AsmSymbol, 'section' | 'offset'> {
  if (symbol.value === undefined) return symbol
  const value = evaluate(assembly, symbol.value, symbol.at)
  if (value.kind === 'place') return { section: value.section, offset: Number(value.offset) }
  const section = value.kind === 'symbol' ? value.symbol.section : undefined
  if (value.kind !== 'symbol' || section === undefined) return { section: undefined, offset: 0 }
  return { section, offset: value.symbol.offset + Number(value.addend) }
}

/** The object of a text as sections, symbols and relocations; faults are reported. */
export function elfOf(assembly: Assembly): ElfSpec {
  const functions = functionsOf(assembly)
  checkCode(assembly, functions)
  const kept = [...assembly.sections.values()].filter((section) => !section.skipped && section.size > 0)
  const tables = kept.map((section) => resolve(assembly, section, 'relocated'))

  const numbers = new Map(kept.map((section, index) => [section, index + 1] as const))
  const symbols: ElfSymbolSpec[] = []
  const known = new Map<AsmSymbol | AsmSection, number>()
  const used = new Set(tables.flat().map((row) => row.target))
  for (const section of kept) {
    if (!used.has(section)) continue
    known.set(
      section,
      symbols.push({ name: '', type: symbolTypes.value('section'), section: numbers.get(section) ?? 0 }),
    )
  }
  for (const symbol of assembly.symbols.values()) {
    if (isTemporary(symbol.name)) continue
    if (assembly.problems.length >= limits.problems) break
    try {
      const { section, offset } = placed(assembly, symbol)
      const number = section === undefined ? undefined : numbers.get(section)
      if (section !== undefined ? section.skipped || number === undefined : !used.has(symbol)) continue
      const { name, type, binding, visibility } = symbol
      known.set(
        symbol,
        symbols.push({
          name,
          type: symbolTypes.value(section === undefined ? 'notype' : type),
          binding: section === undefined && binding === 'local' ? 'global' : binding,
          visibility: symbolVisibilities.value(visibility),
          section: number ?? 0,
          value: BigInt(offset),
          size: section === undefined ? 0 : sizeOf(assembly, symbol, functions.get(section)),
        }),
      )
    } catch (error) {
      if (!(error instanceof TextFault)) throw error
      report(assembly, symbol.place, error)
    }
  }

  const sections: ElfSectionSpec[] = kept.map((section, index) => ({
    name: section.name,
    type: section.type,
    flags: section.flags,
    addralign: BigInt(section.align),
    entsize: section.entsize,
    ...(section.type === nobitsType
      ? { size: section.size }
      : { data: section.bytes.subarray(0, section.size) }),
    relocations: (tables[index] ?? []).map(({ offset, target, type }) => ({
      offset,
      type,
      symbol: known.get(target) ?? 0,
    })),
  }))
  const btf = btfOf(assembly)
  if (btf !== undefined) {
    sections.push({ name: '.BTF', type: sectionTypes.value('progbits'), addralign: 4n, data: btf })
  }
  return { littleEndian: assembly.littleEndian, sections, symbols }
}

/** BTF of what the text declares; a text has its own or declares, not both. */
function btfOf(assembly: Assembly): Uint8Array | undefined {
  const { maps, externs, littleEndian } = assembly
  const declared = maps[0]?.name ?? externs.keys().next().value
  if (declared === undefined) return undefined
  if ((assembly.sections.get('.BTF')?.size ?? 0) > 0) {
    const symbol = assembly.symbols.get(declared)
    if (symbol !== undefined) {
      report(assembly, symbol.place, {
        at: symbol.at,
        expected: 'no .map, .kfunc or .ksym in a text with its own section .BTF',
        actual: JSON.stringify(declared),
        suggestion: undefined,
      })
    }
    return undefined
  }
  checkLikes(assembly)
  return assembly.problems.length > 0 ? undefined : declaredBtf(maps, externs.values(), littleEndian)
}

function checkLikes(assembly: Assembly): void {
  const plain = new Set(assembly.maps.filter((map) => map.entries?.kind !== 'map').map((map) => map.name))
  for (const { name, entries } of assembly.maps) {
    const symbol = assembly.symbols.get(name)
    if (entries?.kind !== 'map' || plain.has(entries.like) || symbol === undefined) continue
    report(assembly, symbol.place, {
      at: symbol.at,
      expected: 'an inner map that is declared by .map and is no map of maps',
      actual: JSON.stringify(entries.like),
      suggestion: undefined,
    })
  }
}
