import { nearest } from '@tsbpf/base'
import type { Dialect, Insn, TextProblem } from '@tsbpf/isa'
import { TextFault } from './arguments.ts'
import type { Expression } from './expression.ts'
import type { ExternDeclaration } from './extern-directives.ts'
import { limits } from './limits.ts'
import type { MapDeclaration } from './map-directive.ts'
import type { Statement } from './statements.ts'

/** A section in the making. */
export interface AsmSection {
  readonly name: string
  readonly type: number
  readonly flags: bigint
  readonly entsize: number
  /** Contents that an object does not need (DWARF): they are not read. */
  readonly skipped: boolean
  align: number
  /** Room for contents, of which `size` bytes are used; empty where the section is NOBITS. */
  bytes: Uint8Array
  size: number
  /** Where the first `exit` stands. */
  firstExit: number | undefined
  firstInsn: Statement | undefined
  readonly fixups: Fixup[]
}

/** A name of the text. */
export interface AsmSymbol {
  readonly name: string
  section: AsmSection | undefined
  /** Bytes from the start of the section. */
  offset: number
  /** What the name was set to, instead of a place. */
  value: Expression | undefined
  /** It has no place because it was declared to be elsewhere. */
  extern: boolean
  binding: 'local' | 'global' | 'weak'
  bound: boolean
  type: 'notype' | 'object' | 'func'
  visibility: 'default' | 'internal' | 'hidden' | 'protected'
  size: Expression | undefined
  /** Where it was first mentioned, and the column. */
  readonly place: Statement
  readonly at: number
}

/** A place that is filled in when all symbols are known. */
export interface Fixup {
  readonly kind: 'jump' | 'call' | 'wide' | 'data'
  readonly offset: number
  /** Bytes of data. */
  readonly size: number
  readonly value: Expression
  readonly insn: Insn | undefined
  readonly place: Statement
  readonly at: number
}

/** The assembling of one text. */
export interface Assembly {
  readonly dialect: Dialect
  readonly littleEndian: boolean
  readonly sections: Map<string, AsmSection>
  readonly symbols: Map<string, AsmSymbol>
  readonly problems: TextProblem[]
  /** What the text declares itself, for the BTF that is made where the text has none. */
  readonly maps: MapDeclaration[]
  readonly externs: Map<string, ExternDeclaration>
  /** Sections that `.popsection` comes back to. */
  readonly stack: AsmSection[]
  /** How often each numeric label (`1:`) was defined. */
  readonly numeric: Map<string, number>
  section: AsmSection
  previous: AsmSection | undefined
  /** Bytes of all sections. */
  total: number
}

/** The symbol of a name, made where it is new. */
export function symbolOf(assembly: Assembly, name: string, place: Statement, at: number): AsmSymbol {
  let symbol = assembly.symbols.get(name)
  if (symbol === undefined) {
    symbol = {
      name,
      section: undefined,
      offset: 0,
      value: undefined,
      extern: false,
      binding: 'local',
      bound: false,
      type: 'notype',
      visibility: 'default',
      size: undefined,
      place,
      at,
    }
    assembly.symbols.set(name, symbol)
  }
  return symbol
}

/** True for what a compiler names places by: such names do not come into the object. */
export const isTemporary = (name: string): boolean => name.startsWith('.L') || /^LBB\d+_\d+$|^ /.test(name)

/** Gives a name the current place. */
export function defineLabel(assembly: Assembly, name: string, place: Statement, at: number): void {
  const symbol = symbolOf(assembly, name, place, at)
  if (symbol.section !== undefined || symbol.value !== undefined) {
    const line = symbol.section === undefined ? '' : ` (line ${symbol.place.line} has ${name})`
    throw new TextFault(
      at,
      `a label that is not defined yet${line}`,
      JSON.stringify(name.slice(0, limits.shownName)),
    )
  }
  symbol.section = assembly.section
  symbol.offset = assembly.section.size
}

/** Makes room for so many bytes in the current section, zeroes at first, and gives where they start. */
export function grow(assembly: Assembly, count: number, at: number): number {
  const { section } = assembly
  const start = section.size
  const nobits = section.type === nobitsType
  const size = start + count
  if (nobits ? size > limits.zeroSize : assembly.total + count > limits.objectSize) {
    const limit = nobits ? limits.zeroSize : limits.objectSize
    throw new TextFault(at, `at most ${limit} bytes`, `${count} more`)
  }
  section.size = size
  if (nobits) return start
  assembly.total += count
  if (size > section.bytes.length) {
    const larger = new Uint8Array(Math.max(size, section.bytes.length * 2, 64))
    larger.set(section.bytes)
    section.bytes = larger
  }
  return start
}

/** Puts bytes into the current section. */
export function emit(assembly: Assembly, bytes: Uint8Array, at: number): number {
  const { section } = assembly
  if (section.type === nobitsType && bytes.some((byte) => byte !== 0)) {
    throw new TextFault(at, `a section with contents, not ${section.name}`, 'bytes that are not zero')
  }
  const start = grow(assembly, bytes.length, at)
  if (section.type !== nobitsType) section.bytes.set(bytes, start)
  return start
}

/** `sh_type` of a section without contents in the file (System V gABI, `SHT_NOBITS`). */
export const nobitsType = 8

/** Adds a problem. */
export function report(
  assembly: Assembly,
  place: Statement,
  problem: Pick<TextFault, 'at' | 'expected' | 'actual' | 'suggestion'>,
): void {
  const { at, expected, actual, suggestion } = problem
  assembly.problems.push({
    line: place.line,
    column: at + 1,
    expected,
    actual,
    suggestion,
    source: place.source,
  })
}

/** The nearest of some names, of which only as many are looked at as take no time. */
export function nearestName(text: string, names: Iterable<string>): string | undefined {
  if (text.length > limits.shownName) return undefined
  const near: string[] = []
  for (const name of names) {
    if (near.length === limits.suggested) break
    if (name.length <= limits.shownName && !isTemporary(name)) near.push(name)
  }
  return nearest(text, near)
}

/** A number as bytes. */
export function numberBytes(value: bigint, size: number, littleEndian: boolean): Uint8Array {
  if (size === 1) return Uint8Array.of(Number(BigInt.asUintN(8, value)))
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), littleEndian)
  return littleEndian ? bytes.subarray(0, size) : bytes.subarray(8 - size)
}
