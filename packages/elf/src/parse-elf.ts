import type { ElfFile, ElfRelocation, ElfSection, ElfSegment, ElfSymbol } from './elf-file.ts'
import { readRelocations, relocationTables } from './relocations.ts'
import { readSections } from './sections.ts'
import { readSegments } from './segments.ts'
import { allSymbols, symbolTable } from './symbols.ts'

/** Options of {@link parseElf}. */
export interface ParseElfOptions {
  /** Name of the file, for messages; `elf` unless given. */
  readonly name?: string
}

/**
 * Parses an ELF64 file of either byte order (System V gABI; BPF objects: RFC 9669 and Documentation/bpf/llvm_reloc.rst):
 * BPF objects, executables, shared libraries, kernel modules and a `vmlinux`.
 *
 * The file header and the section headers are read and checked at once: every section has bytes of its own. Names,
 * symbols, segments and relocations are read, checked and kept when they are first asked for, and may throw then.
 * Everything aliases `bytes`; nothing is copied, so do not change them. Extended section numbering is followed.
 * Time and memory are bounded by the size of the file, whatever its headers say; only `size` of a NOBITS section
 * (up to 2^53) is the file's unchecked word: bound it before allocating.
 *
 * Throws `ELF_NOT_ELF`, `ELF_CLASS` (ELF32), `ELF_BYTE_ORDER`, `ELF_VERSION`, `ELF_TRUNCATED`, `ELF_SECTION_BOUNDS`,
 * `ELF_OVERLAP`, `ELF_SEGMENT`, `ELF_ENTRY_SIZE`, `ELF_LINK`, `ELF_STRING`, `ELF_SYMBOL`, `ELF_RELOCATION`; each carries `{file, path, offset,
 * expected, actual}`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseElf } from '@tsbpf/elf'
 * const elf = parseElf(await readFile('app.bpf.o'), { name: 'app.bpf.o' })
 * for (const section of elf.sections) console.log(section.name, section.size)
 * ```
 */
export function parseElf(bytes: Uint8Array, options: ParseElfOptions = {}): ElfFile {
  // A Buffer's views would be Buffers too, whose methods differ (slice does not copy).
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { source, header, sections } = readSections(plain, options.name ?? 'elf')
  const type = header.e_type
  let byName: Map<string, ElfSection> | undefined
  let symbols: readonly ElfSymbol[] | undefined
  let dynamicSymbols: readonly ElfSymbol[] | undefined
  let segments: readonly ElfSegment[] | undefined
  let tables: ReadonlyMap<number, readonly ElfSection[]> | undefined
  const relocations = new Map<number, readonly ElfRelocation[]>()
  return {
    name: source.file,
    bytes: plain,
    littleEndian: source.littleEndian,
    type,
    machine: header.e_machine,
    entry: header.e_entry,
    sections,
    section(name) {
      if (byName === undefined) {
        byName = new Map()
        for (const section of sections) if (!byName.has(section.name)) byName.set(section.name, section)
      }
      return byName.get(name)
    },
    get symbols() {
      return (symbols ??= allSymbols(symbolTable(source, sections, 'symtab', 'symbols')))
    },
    get dynamicSymbols() {
      return (dynamicSymbols ??= allSymbols(symbolTable(source, sections, 'dynsym', 'dynamicSymbols')))
    },
    get segments() {
      return (segments ??= readSegments(source, header, sections))
    },
    relocations(section) {
      const known = relocations.get(section.index)
      if (known !== undefined) return known
      tables ??= relocationTables(source, type, sections)
      const rows: ElfRelocation[] = []
      for (const table of tables.get(section.index) ?? []) {
        readRelocations(source, type, sections, table, section, rows)
      }
      relocations.set(section.index, rows)
      return rows
    },
  }
}
