import type { ElfFile, ElfSection } from './elf-file.ts'
import {
  FileHeader,
  fileTypes,
  firstReservedSection,
  machines,
  sectionFlags,
  sectionTypes,
  specialSections,
} from './elf-layout.ts'
import type { ElfSectionSpec, ElfSpec, ElfSymbolSpec } from './elf-spec.ts'
import { errors } from './errors.ts'
import { sourceOf } from './source.ts'

const infoLink = BigInt(sectionFlags.value('info_link'))
const nobits = sectionTypes.value('nobits')
/** Sections that `encodeElf` makes from the rest. */
const made: readonly number[] = [
  sectionTypes.value('null'),
  sectionTypes.value('symtab'),
  sectionTypes.value('rel'),
  sectionTypes.value('rela'),
  sectionTypes.value('symtab_shndx'),
]

function fail(path: string, expected: string, actual: string | number): never {
  throw errors.ELF_SPEC({ path, expected, actual: String(actual) })
}

/**
 * A parsed relocatable file as the value that {@link encodeElf} takes: change it and write it again. Sections and
 * symbols keep their order; the numbers of sections shrink, since the tables among them are made anew. Only given is
 * what differs from what `encodeElf` takes when nothing is given. `data` aliases the file.
 *
 * Throws what reading symbols and relocations throws, and `ELF_SPEC` for a file that is not relocatable or holds what
 * cannot be kept: section groups, bindings other than local, global and weak, relocations of both kinds or by a table
 * of symbols other than `.symtab`.
 */
export function elfSpecOf(elf: ElfFile): ElfSpec {
  if (elf.type !== fileTypes.value('relocatable')) fail('type', 'relocatable', fileTypes.format(elf.type))
  const { view, littleEndian } = sourceOf(elf)
  const header = FileHeader.readAt(view, 0, littleEndian)
  const symtab = elf.sections.find((section) => section.type === sectionTypes.value('symtab'))
  const far = header.e_shstrndx === specialSections.value('xindex')
  const namesIndex = far ? elf.sections[0]?.link : header.e_shstrndx
  const kept = elf.sections.filter(
    ({ type, index }) => !made.includes(type) && index !== symtab?.link && index !== namesIndex,
  )
  const numbers = new Map(kept.map((section, index) => [section.index, index + 1]))
  const numberOf = (path: string, index: number): number => {
    const number = index === 0 ? 0 : numbers.get(index)
    return number ?? fail(path, 'a section that is kept', `section ${index}`)
  }

  for (const { type, index, link, size } of elf.sections) {
    const applies = type === sectionTypes.value('rel') || type === sectionTypes.value('rela')
    if (applies && size > 0 && link !== symtab?.index)
      fail(`sections[${index}].link`, 'the table of symbols', link)
  }

  const sectionSpec = (section: ElfSection): ElfSectionSpec => {
    const { name, type, flags, addr, addralign, entsize, index, info, size, data } = section
    const path = `sections[${index}]`
    if (type === sectionTypes.value('group')) fail(`${path}.type`, 'no section group', 'group')
    const relocations = elf.relocations(section)
    const link = section.link === symtab?.index ? 'symtab' : numberOf(`${path}.link`, section.link)
    const number = (flags & infoLink) === 0n ? info : numberOf(`${path}.info`, info)
    return {
      name,
      ...(type === sectionTypes.value('progbits') ? {} : { type }),
      ...(flags === 0n ? {} : { flags }),
      ...(addr === 0n ? {} : { addr }),
      ...(addralign === 1n ? {} : { addralign }),
      ...(entsize === 0 ? {} : { entsize }),
      ...(link === 0 ? {} : { link }),
      ...(number === 0 ? {} : { info: number }),
      ...(type === nobits ? { size } : { data }),
      ...(relocations.length === 0 ? {} : { relocations }),
    }
  }

  const symbols = elf.symbols.slice(1).map((symbol): ElfSymbolSpec => {
    const { index, name, type, binding, visibility, section, value, size } = symbol
    const path = `symbols[${index}]`
    if (binding === 'other') fail(`${path}.binding`, 'local, global or weak', binding)
    const special = section >= firstReservedSection && elf.sections.length <= section
    const number = special ? section : numberOf(`${path}.section`, section)
    return {
      name,
      ...(type === 0 ? {} : { type }),
      ...(binding === 'local' ? {} : { binding }),
      ...(visibility === 0 ? {} : { visibility }),
      ...(number === 0 ? {} : { section: number }),
      ...(value === 0n ? {} : { value }),
      ...(size === 0 ? {} : { size }),
    }
  })
  return {
    ...(littleEndian ? {} : { littleEndian }),
    ...(elf.machine === machines.value('bpf') ? {} : { machine: elf.machine }),
    ...(header.e_flags === 0 ? {} : { flags: header.e_flags }),
    sections: kept.map(sectionSpec),
    ...(symbols.length === 0 ? {} : { symbols }),
  }
}
