import type { ElfRelocation, ElfSection } from './elf-file.ts'
import {
  CompressionHeader,
  fileTypes,
  RelaRow,
  RelRow,
  sectionFlags,
  SectionHeader,
  sectionTypes,
  SymbolRow,
} from './elf-layout.ts'
import { errors } from './errors.ts'
import { exact, fault } from './source.ts'
import type { ElfSource } from './source.ts'
import { checkRows, linked } from './symbols.ts'

const rel = sectionTypes.value('rel')
const rela = sectionTypes.value('rela')
const relocatable = fileTypes.value('relocatable')

/** The sections of relocations by the index of the section that they apply to. */
export function relocationTables(
  source: ElfSource,
  fileType: number,
  sections: readonly ElfSection[],
): ReadonlyMap<number, readonly ElfSection[]> {
  const tables = new Map<number, ElfSection[]>()
  for (const section of sections) {
    const { type, info, index, headerOffset } = section
    if (type !== rel && type !== rela) continue
    // Elsewhere the word has no fixed meaning.
    if (fileType === relocatable && info >= sections.length) {
      const expected = `a section index below ${sections.length}`
      const place = headerOffset + SectionHeader.offsets.sh_info
      throw errors.ELF_LINK(fault(source, `sections[${index}].sh_info`, place, expected, info))
    }
    const list = tables.get(info)
    if (list === undefined) tables.set(info, [section])
    else list.push(section)
  }
  return tables
}

/** Relocations apply to what a section holds when it is decompressed. */
function meantSize({ view, littleEndian }: ElfSource, { flags, data, offset, size }: ElfSection): number {
  if ((flags & BigInt(sectionFlags.value('compressed'))) === 0n) return size
  if (data.length < CompressionHeader.size) return size
  return exact(view.getBigUint64(offset + CompressionHeader.offsets.ch_size, littleEndian))
}

/** Appends the rows of one table, which apply to `target`. */
export function readRelocations(
  source: ElfSource,
  fileType: number,
  sections: readonly ElfSection[],
  table: ElfSection,
  target: ElfSection,
  into: ElfRelocation[],
): void {
  const { view, littleEndian } = source
  const withAddend = table.type === rela
  const row = withAddend ? RelaRow : RelRow
  const count = checkRows(source, table, row.size)
  // A static executable's relocations need no symbols, and have no table of them.
  const symbols =
    table.link === 0 && fileType !== relocatable
      ? 1
      : linked(source, sections, table, ['symtab', 'dynsym']).size / SymbolRow.size
  // Only in a relocatable file is r_offset an offset; elsewhere it is an address.
  const limit = fileType === relocatable ? meantSize(source, target) : Number.MAX_SAFE_INTEGER
  for (let i = 0; i < count; i++) {
    const at = table.offset + i * row.size
    const offset = Number(view.getBigUint64(at + row.offsets.r_offset, littleEndian))
    const path = (field: string) => `sections[${table.index}][${i}].${field}`
    if (offset >= limit) {
      throw errors.ELF_RELOCATION(fault(source, path('r_offset'), at, `less than ${limit}`, offset))
    }
    const infoAt = at + row.offsets.r_info
    const symbol = view.getUint32(infoAt + (littleEndian ? 4 : 0), littleEndian)
    const type = view.getUint32(infoAt + (littleEndian ? 0 : 4), littleEndian)
    if (symbol >= symbols) {
      throw errors.ELF_RELOCATION(fault(source, path('r_info'), infoAt, `a symbol below ${symbols}`, symbol))
    }
    into.push(
      withAddend
        ? { offset, symbol, type, addend: view.getBigInt64(at + RelaRow.offsets.r_addend, littleEndian) }
        : { offset, symbol, type },
    )
  }
}
