import type { TsbpfError } from '@tsbpf/base'
import type { Btf, BtfExt } from '@tsbpf/btf'
import { parseBtf, parseBtfExt } from '@tsbpf/btf'
import type { ElfFile, ElfSection, ElfSymbol } from '@tsbpf/elf'
import { fileTypes, parseElf, sectionTypes, symbolTypes, symbolVisibilities } from '@tsbpf/elf'
import { errors } from './errors.ts'
import type { ObjectFailure } from './errors.ts'
import { limits } from './limits.ts'

/** `e_machine` of BPF (include/uapi/linux/elf-em.h, `EM_BPF`); compilers before 2016 left it 0. */
const machineBpf = 247

/** `sh_flags`: the section holds instructions (System V gABI, `SHF_EXECINSTR`). */
const flagExecutable = 4n

/** The sections whose names the field has given a meaning. */
export const names = {
  text: '.text',
  maps: '.maps',
  legacyMaps: 'maps',
  jumpTables: '.jumptables',
  kconfig: '.kconfig',
  ksyms: '.ksyms',
  arena: '.addr_space.1',
} as const

/** Kind of a section that becomes a map. */
export type DataKind = 'rodata' | 'data' | 'bss'

/** The ELF file of an object, with the questions that the parts of the parser ask of it. */
export interface ObjectFile {
  /** For messages. */
  readonly file: string
  readonly elf: ElfFile
  /** As the compiler wrote it: data sections are not yet completed. */
  readonly btf: Btf | undefined
  readonly btfExt: BtfExt
  /** Other objects may define what this one refers to. */
  readonly partial: boolean
  /** Sections of code in file order. */
  readonly code: readonly ElfSection[]
  /** True for the index of one of them. */
  readonly isCode: (section: number) => boolean
  /** Sections of global data in file order, and what they are. */
  readonly data: ReadonlyMap<number, DataKind>
  readonly maps: ElfSection | undefined
  /** Variables of the arena. */
  readonly arena: ElfSection | undefined
  /** Makes an error about a byte of a section. */
  readonly fail: (code: keyof typeof errors, at: FailurePlace) => TsbpfError
}

/** Where an error is: a path in words, and the byte of a section. */
interface FailurePlace {
  readonly path: string
  readonly section?: ElfSection | undefined
  /** Bytes from the start of the section. */
  readonly at?: number
  readonly expected: string
  readonly actual: string
}

const progbits = sectionTypes.value('progbits')
const nobits = sectionTypes.value('nobits')

function dataKind({ name, size, type }: ElfSection): DataKind | undefined {
  if (size === 0) return undefined
  if (type === nobits) return isNamed(name, '.bss') ? 'bss' : undefined
  if (type !== progbits) return undefined
  return isNamed(name, '.data') ? 'data' : isNamed(name, '.rodata') ? 'rodata' : undefined
}

function isNamed(name: string, base: string): boolean {
  return name.startsWith(base) && (name.length === base.length || name[base.length] === '.')
}

/** True for the symbol of something that is defined elsewhere (libbpf: `sym_is_extern`). */
export function isExtern(symbol: ElfSymbol): boolean {
  return (
    symbol.section === 0 &&
    (symbol.binding === 'global' || symbol.binding === 'weak') &&
    symbol.type === symbolTypes.value('notype')
  )
}

const hidden = symbolVisibilities.value('hidden')
const internal = symbolVisibilities.value('internal')

/** True for the symbol of something that only objects of one static link may name. */
export function isHidden(symbol: ElfSymbol): boolean {
  return symbol.visibility === hidden || symbol.visibility === internal
}

/** Parses the ELF file and its BTF, and sorts its sections by what they are for. */
export function openObject(bytes: Uint8Array, file: string, partial: boolean): ObjectFile {
  const elf = parseElf(bytes, { name: file })
  const fail: ObjectFile['fail'] = (code, place) => {
    const { path, section, at = 0, expected, actual } = place
    const context: ObjectFailure = { file, path, offset: (section?.offset ?? 0) + at, expected, actual }
    return (errors[code] as (context: ObjectFailure) => TsbpfError)(context)
  }
  if (elf.type !== fileTypes.value('relocatable')) {
    throw fail('OBJECT_NOT_BPF', {
      path: 'e_type',
      at: 16,
      expected: 'a relocatable object',
      actual: fileTypes.format(elf.type),
    })
  }
  if (elf.machine !== machineBpf && elf.machine !== 0) {
    throw fail('OBJECT_NOT_BPF', {
      path: 'e_machine',
      at: 18,
      expected: `${machineBpf} (BPF)`,
      actual: String(elf.machine),
    })
  }

  const code: ElfSection[] = []
  const codeIndexes = new Set<number>()
  const dataNames = new Set<string>()
  const data = new Map<number, DataKind>()
  let codeSize = 0
  for (const section of elf.sections) {
    if (section.type !== progbits || (section.flags & flagExecutable) === 0n) {
      const kind = dataKind(section)
      if (kind === undefined) continue
      data.set(section.index, kind)
      if (dataNames.has(section.name)) {
        const path = `section ${section.name}`
        throw fail('OBJECT_DUPLICATE_NAME', { path, section, expected: 'one section', actual: 'two' })
      }
      dataNames.add(section.name)
      continue
    }
    if (section.size === 0) continue
    code.push(section)
    codeIndexes.add(section.index)
    codeSize += section.size
    if (codeSize > bytes.length * limits.codeOverlap) {
      const path = `section ${section.name}`
      throw fail('OBJECT_FUNCTION', {
        path,
        section,
        expected: 'sections of code side by side',
        actual: 'overlap',
      })
    }
  }

  const btfSection = elf.section('.BTF')
  const btf =
    btfSection === undefined ? undefined : parseBtf(btfSection.data, { name: `${file}: section .BTF` })
  const extSection = elf.section('.BTF.ext')
  const btfExt: BtfExt =
    btf === undefined || extSection === undefined
      ? new Map()
      : parseBtfExt(extSection.data, btf, { name: `${file}: section .BTF.ext` })
  const isCode = (section: number): boolean => codeIndexes.has(section)
  const maps = elf.section(names.maps)
  const arena = elf.sections.find((one) => one.name === names.arena && one.type === progbits && one.size > 0)
  return { file, elf, btf, btfExt, partial, code, isCode, data, maps, arena, fail }
}
