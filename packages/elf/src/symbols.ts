import type { ElfSection, ElfSymbol } from './elf-file.ts'
import {
  firstReservedSection,
  SectionHeader,
  sectionTypes,
  specialSections,
  SymbolRow,
} from './elf-layout.ts'
import { errors } from './errors.ts'
import { fault } from './source.ts'
import type { ElfSource } from './source.ts'
import { stringTable } from './string-table.ts'

const bindings = ['local', 'global', 'weak'] as const
const { st_name, st_info, st_other, st_shndx, st_value, st_size } = SymbolRow.offsets
const rowSize = SymbolRow.size
const header = SectionHeader.offsets
const xindex = specialSections.value('xindex')

/** How many rows of `size` bytes a table has; throws unless its rows are of that size and fill it. */
export function checkRows(source: ElfSource, section: ElfSection, size: number): number {
  const { index, headerOffset, entsize } = section
  if (entsize !== size) {
    throw errors.ELF_ENTRY_SIZE(
      fault(source, `sections[${index}].sh_entsize`, headerOffset + header.sh_entsize, size, entsize),
    )
  }
  if (section.size % size !== 0) {
    const expected = `a multiple of ${size}`
    throw errors.ELF_ENTRY_SIZE(
      fault(source, `sections[${index}].sh_size`, headerOffset + header.sh_size, expected, section.size),
    )
  }
  return section.size / size
}

/** The section that `section.link` names; throws unless it is one of the wanted types. */
export function linked(
  source: ElfSource,
  sections: readonly ElfSection[],
  section: ElfSection,
  types: readonly Parameters<typeof sectionTypes.value>[0][],
): ElfSection {
  const { index, headerOffset, link } = section
  const target = sections[link]
  if (target !== undefined && types.some((type) => sectionTypes.value(type) === target.type)) return target
  const expected = `the index of a section of type ${types.join(' or ')}`
  const actual =
    target === undefined ? `${link} of ${sections.length}` : `${link} (${sectionTypes.format(target.type)})`
  throw errors.ELF_LINK(
    fault(source, `sections[${index}].sh_link`, headerOffset + header.sh_link, expected, actual),
  )
}

/** A symbol table that has been checked, before its rows are. */
export interface SymbolTable {
  readonly count: number
  /** Offset in the file of row 0. */
  readonly offset: number
  /** The string table of its names. */
  readonly names: Uint8Array
  /** Reads one row, by its index. */
  readonly read: (index: number) => ElfSymbol
}

/** The first symbol table of the type, `undefined` where there is none. Errors name its rows by `label`. */
export function symbolTable(
  source: ElfSource,
  sections: readonly ElfSection[],
  type: 'symtab' | 'dynsym',
  label: string,
): SymbolTable | undefined {
  const table = sections.find((section) => section.type === sectionTypes.value(type))
  if (table === undefined) return undefined
  const { view, littleEndian } = source
  const count = checkRows(source, table, rowSize)
  if (table.info > count) {
    const path = `sections[${table.index}].sh_info`
    const expected = `at most ${count} local symbols`
    throw errors.ELF_SYMBOL(fault(source, path, table.headerOffset + header.sh_info, expected, table.info))
  }
  const names = linked(source, sections, table, ['strtab']).data
  const readName = stringTable(names)
  const far = sections.find(
    (section) => section.type === sectionTypes.value('symtab_shndx') && section.link === table.index,
  )
  // One closure for all rows: tables have hundreds of thousands.
  let index = 0
  const where = (
    field: keyof typeof SymbolRow.offsets,
    expected: string,
    actual: string | number | bigint,
  ) => {
    const at = table.offset + index * rowSize + SymbolRow.offsets[field]
    return fault(source, `${label}[${index}].${field}`, at, expected, actual)
  }
  const nameFault = (expected: string, actual: string) => where('st_name', expected, actual)
  const read = (row: number): ElfSymbol => {
    index = row
    const at = table.offset + index * rowSize
    const info = view.getUint8(at + st_info)
    const shndx = view.getUint16(at + st_shndx, littleEndian)
    const size = view.getBigUint64(at + st_size, littleEndian)
    let section = shndx
    if (shndx === xindex) {
      if (far === undefined || index * 4 + 4 > far.data.length) {
        throw errors.ELF_SYMBOL(where('st_shndx', 'a row of a symtab_shndx section', 'none'))
      }
      section = view.getUint32(far.offset + index * 4, littleEndian)
    }
    if (section >= sections.length && (shndx < firstReservedSection || shndx === xindex)) {
      throw errors.ELF_SYMBOL(where('st_shndx', `a section index below ${sections.length}`, section))
    }
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw errors.ELF_SYMBOL(where('st_size', 'less than 2^53', size))
    }
    return {
      index,
      name: readName(view.getUint32(at + st_name, littleEndian), nameFault),
      type: info & 0xf,
      binding: bindings[info >> 4] ?? 'other',
      visibility: view.getUint8(at + st_other) & 3,
      section,
      value: view.getBigUint64(at + st_value, littleEndian),
      size: Number(size),
    }
  }
  return { count, offset: table.offset, names, read }
}

/** All rows of a symbol table, the null symbol first; none where there is no table. */
export function allSymbols(table: SymbolTable | undefined): readonly ElfSymbol[] {
  return table === undefined ? [] : Array.from({ length: table.count }, (_, index) => table.read(index))
}
