import { firstReservedSection, sectionFlags, sectionTypes, specialSections } from './elf-layout.ts'
import type { ElfSectionSpec, ElfSpec, ElfSymbolSpec } from './elf-spec.ts'
import { errors } from './errors.ts'
import { limits } from './limits.ts'

const specials = [specialSections.value('abs'), specialSections.value('common')]
const made = ['symtab', 'strtab', 'rel', 'rela', 'symtab_shndx', 'null', 'group'] as const

function fail(path: string, expected: string, actual: string | number | bigint): never {
  throw errors.ELF_SPEC({ path, expected, actual: String(actual) })
}

function whole(path: string, value: number | undefined, max: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= max)) {
    fail(path, `a whole number from 0 to ${max}`, value)
  }
}

function word(path: string, value: bigint | undefined): void {
  if (value !== undefined && BigInt.asUintN(64, value) !== value) {
    fail(path, 'a whole number from 0 to 2^64 - 1', value)
  }
}

function name(path: string, value: string): void {
  if (value.includes('\0')) fail(path, 'a name without NUL', JSON.stringify(value))
}

function checkSection(spec: ElfSpec, section: ElfSectionSpec, path: string): void {
  const { type = sectionTypes.value('progbits'), addralign = 1n, data, size, link = 0 } = section
  name(`${path}.name`, section.name)
  whole(`${path}.type`, type, 0xffff_ffff)
  const row = sectionTypes.byValue(type)
  // A second string table is like any other section.
  if (row !== undefined && row.name !== 'strtab' && made.some((known) => known === row.name)) {
    fail(`${path}.type`, 'a type of section that is not made from the rest', row.name)
  }
  word(`${path}.flags`, section.flags)
  word(`${path}.addr`, section.addr)
  if ((addralign & (addralign - 1n)) !== 0n || addralign < 0n || addralign > BigInt(limits.alignment)) {
    fail(`${path}.addralign`, `a power of two up to ${limits.alignment}`, addralign)
  }
  whole(`${path}.entsize`, section.entsize, Number.MAX_SAFE_INTEGER)
  if (link !== 'symtab') whole(`${path}.link`, link, spec.sections.length)
  whole(`${path}.info`, section.info, 0xffff_ffff)
  whole(`${path}.size`, size, Number.MAX_SAFE_INTEGER)
  const nobits = type === sectionTypes.value('nobits')
  if (nobits && data !== undefined && data.length > 0)
    fail(`${path}.data`, 'none in a NOBITS section', `${data.length} bytes`)
  if (!nobits && size !== undefined && size !== (data?.length ?? 0)) {
    fail(`${path}.size`, `the length of data, ${data?.length ?? 0}`, size)
  }
  const compressed = ((section.flags ?? 0n) & BigInt(sectionFlags.value('compressed'))) !== 0n
  // Relocations apply to what a section holds when it is decompressed; how much that is, its bytes say.
  const length = compressed ? Number.MAX_SAFE_INTEGER : nobits ? (size ?? 0) : (data?.length ?? 0)
  const rows = section.relocations ?? []
  rows.forEach((relocation, index) => {
    const at = `${path}.relocations[${index}]`
    if (!(Number.isInteger(relocation.offset) && relocation.offset >= 0 && relocation.offset < length)) {
      fail(`${at}.offset`, `a byte of the section, below ${length}`, relocation.offset)
    }
    whole(`${at}.symbol`, relocation.symbol, spec.symbols?.length ?? 0)
    whole(`${at}.type`, relocation.type, 0xffff_ffff)
    const { addend } = relocation
    if ((addend === undefined) !== (rows[0]?.addend === undefined)) {
      fail(`${at}.addend`, 'an addend in all rows of a section or in none', addend ?? 'none')
    }
    if (addend !== undefined && BigInt.asIntN(64, addend) !== addend) {
      fail(`${at}.addend`, 'a whole number of 64 bits with sign', addend)
    }
  })
}

function checkSymbol(spec: ElfSpec, symbol: ElfSymbolSpec, path: string): void {
  const { section = 0 } = symbol
  name(`${path}.name`, symbol.name)
  whole(`${path}.type`, symbol.type, 15)
  whole(`${path}.visibility`, symbol.visibility, 3)
  if (!specials.includes(section)) whole(`${path}.section`, section, spec.sections.length)
  word(`${path}.value`, symbol.value)
  whole(`${path}.size`, symbol.size, Number.MAX_SAFE_INTEGER)
}

/** Throws `ELF_SPEC` unless the spec can be written as it is and read back the same. */
export function checkSpec(spec: ElfSpec): void {
  whole('machine', spec.machine, 0xffff)
  whole('flags', spec.flags, 0xffff_ffff)
  const tables = spec.sections.filter((section) => (section.relocations ?? []).length > 0).length
  // The null section in front, and tables of symbols and strings behind.
  if (spec.sections.length + tables + 3 >= firstReservedSection) {
    fail('sections', `fewer than ${firstReservedSection} with their tables`, spec.sections.length + tables)
  }
  spec.sections.forEach((section, index) => checkSection(spec, section, `sections[${index}]`))
  spec.symbols?.forEach((symbol, index) => checkSymbol(spec, symbol, `symbols[${index}]`))
}
