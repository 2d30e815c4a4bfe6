import { sectionFlags, sectionTypes, symbolTypes, symbolVisibilities } from '@tsbpf/elf'
import type { ElfFile, ElfSection, ElfSymbol } from '@tsbpf/elf'
import { nameText, placeText, stringText } from './reference-text.ts'

/** Zeroes from this many on are counted, not written. */
const shortestZeroes = 16
const bytesPerLine = 16

/** The directive that makes some bytes. */
export const bytesLine = (bytes: Uint8Array): string =>
  `.byte ${Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', ')}`

/** Directives that make bytes. */
export function* bytesText(bytes: Uint8Array): Generator<string, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    let end = at
    while (end < bytes.length && bytes[end] === 0) end++
    if (end - at >= shortestZeroes) {
      yield `\t.zero ${end - at}`
      at = end
      continue
    }
    const line = bytes.subarray(at, at + bytesPerLine)
    yield `\t${bytesLine(line)}`
    at += line.length
  }
}

const letters = [
  ['alloc', 'a'],
  ['write', 'w'],
  ['execinstr', 'x'],
  ['merge', 'M'],
  ['strings', 'S'],
] as const

/** The directive that starts a section, and its alignment. */
export function* sectionHeader(section: ElfSection): Generator<string, void, undefined> {
  const { name, flags, type, entsize, addralign } = section
  const set = letters.filter(([flag]) => (flags & BigInt(sectionFlags.value(flag))) !== 0n)
  const kind = type === sectionTypes.value('nobits') ? '@nobits' : '@progbits'
  const size = entsize > 0 ? `, ${entsize}` : ''
  yield ''
  yield `\t.section ${stringText(name)}, "${set.map(([, letter]) => letter).join('')}", ${kind}${size}`
  const power = Math.log2(Number(addralign))
  if (power > 0) yield `\t.p2align ${power}`
}

/** What a symbol is, before its label. */
export function* symbolHeader(symbol: ElfSymbol): Generator<string, void, undefined> {
  const name = nameText(symbol.name)
  const visibility = symbolVisibilities.byValue(symbol.visibility)?.name
  if (symbol.binding !== 'local') yield `\t.${symbol.binding === 'weak' ? 'weak' : 'globl'} ${name}`
  if (visibility !== undefined && visibility !== 'default') yield `\t.${visibility} ${name}`
  if (symbol.type === symbolTypes.value('func')) yield `\t.type ${name}, @function`
  if (symbol.type === symbolTypes.value('object')) yield `\t.type ${name}, @object`
  if (symbol.size > 0) yield `\t.size ${name}, ${symbol.size}`
  yield `${name}:`
}

/** Symbols with names, by section and there by offset. */
export function symbolsBySection(elf: ElfFile): ReadonlyMap<number, readonly ElfSymbol[]> {
  const unnamed: readonly number[] = [symbolTypes.value('section'), symbolTypes.value('file')]
  const symbols = new Map<number, ElfSymbol[]>()
  for (const symbol of elf.symbols) {
    if (symbol.name === '' || unnamed.includes(symbol.type)) continue
    const known = symbols.get(symbol.section)
    if (known === undefined) symbols.set(symbol.section, [symbol])
    else known.push(symbol)
  }
  for (const list of symbols.values()) list.sort((a, b) => Number(a.value - b.value))
  return symbols
}

/** A section of data: its bytes between the names and relocations that stand in it. */
export function* dataText(
  elf: ElfFile,
  section: ElfSection,
  symbols: readonly ElfSymbol[],
): Generator<string, void, undefined> {
  yield* sectionHeader(section)
  const nobits = section.type === sectionTypes.value('nobits')
  const pieces: { readonly at: number; readonly size: number; readonly lines: readonly string[] }[] = []
  for (const symbol of symbols)
    pieces.push({ at: Number(symbol.value), size: 0, lines: [...symbolHeader(symbol)] })
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength)
  for (const { offset, symbol, type } of elf.relocations(section)) {
    // R_BPF_64_ABS64 has 8 bytes, the others of data have 4 (Documentation/bpf/llvm_reloc.rst).
    const size = type === 2 ? 8 : 4
    if (offset + size > section.data.length) continue
    const addend =
      size === 8
        ? Number(view.getBigInt64(offset, elf.littleEndian))
        : view.getInt32(offset, elf.littleEndian)
    const text = placeText(nameText(targetName(elf, symbol)), addend)
    pieces.push({ at: offset, size, lines: [`\t${size === 8 ? '.quad' : '.long'} ${text}`] })
  }
  pieces.sort((a, b) => a.at - b.at || a.size - b.size)
  let at = 0
  const upTo = function* (end: number): Generator<string, void, undefined> {
    if (end <= at) return
    if (nobits) yield `\t.zero ${end - at}`
    else yield* bytesText(section.data.subarray(at, end))
    at = end
  }
  for (const piece of pieces) {
    yield* upTo(Math.min(piece.at, section.size))
    yield* piece.lines
    at += piece.size
  }
  yield* upTo(section.size)
}

/** Name of what a relocation leads to: a symbol's, or of the section that it stands for. */
export function targetName(elf: ElfFile, symbol: number): string {
  const found = elf.symbols[symbol]
  return found === undefined || found.type === symbolTypes.value('section')
    ? (elf.sections[found?.section ?? 0]?.name ?? '')
    : found.name
}
