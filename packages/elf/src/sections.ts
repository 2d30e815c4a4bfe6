import type { ElfSection } from './elf-file.ts'
import { FileHeader, ident, SectionHeader, sectionTypes, specialSections } from './elf-layout.ts'
import { errors } from './errors.ts'
import { exact, fault } from './source.ts'
import type { ElfSource } from './source.ts'
import { stringTable } from './string-table.ts'
import type { ReadName } from './string-table.ts'

const nobits = sectionTypes.value('nobits')
const nullType = sectionTypes.value('null')
const empty = new Uint8Array(0)
const at = FileHeader.offsets
const { size: rowSize, offsets: row } = SectionHeader

type WordField = 'sh_name' | 'sh_type' | 'sh_link' | 'sh_info'
type LongField = Exclude<keyof typeof row, WordField>

/** The file header. */
export type ElfHeader = ReturnType<typeof FileHeader.readAt>

/** What the file header and the table of sections say. */
export interface Sections {
  readonly source: ElfSource
  readonly header: ElfHeader
  readonly sections: readonly ElfSection[]
}

/** Bytes that are taken, and the field that says where they start. */
interface Span {
  readonly start: number
  readonly end: number
  readonly path: string
  readonly at: number
}

function readHeader(bytes: Uint8Array, file: string): Omit<Sections, 'sections'> {
  const source = { file }
  const magic = [...bytes.subarray(0, 4)]
  if (magic.length < 4 || ident.magic.some((byte, i) => magic[i] !== byte)) {
    const actual = magic.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    throw errors.ELF_NOT_ELF(
      fault(source, 'e_ident', 0, '7f 45 4c 46', actual === '' ? 'an empty file' : actual),
    )
  }
  if (bytes.length < ident.size) {
    throw errors.ELF_TRUNCATED(fault(source, 'e_ident', 0, `${ident.size} bytes`, `${bytes.length} bytes`))
  }
  const [fileClass = 0, data = 0, version = 0] = bytes.subarray(ident.classAt)
  if (fileClass !== 2) {
    const actual = fileClass === 1 ? '1 (ELF32)' : fileClass
    throw errors.ELF_CLASS(fault(source, 'e_ident[EI_CLASS]', ident.classAt, '2 (ELF64)', actual))
  }
  if (data !== 1 && data !== 2) {
    const expected = '1 (little endian) or 2 (big endian)'
    throw errors.ELF_BYTE_ORDER(fault(source, 'e_ident[EI_DATA]', ident.dataAt, expected, data))
  }
  if (version !== 1) {
    throw errors.ELF_VERSION(fault(source, 'e_ident[EI_VERSION]', ident.versionAt, 1, version))
  }
  if (bytes.length < FileHeader.size) {
    throw errors.ELF_TRUNCATED(
      fault(source, 'e_ident', 0, `${FileHeader.size} bytes`, `${bytes.length} bytes`),
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const littleEndian = data === 1
  const header = FileHeader.readAt(view, 0, littleEndian)
  if (header.e_version !== 1) {
    throw errors.ELF_VERSION(fault(source, 'e_version', at.e_version, 1, header.e_version))
  }
  return { source: { bytes, view, littleEndian, file }, header }
}

/** Reads the file header and all section headers, and checks that every section has bytes of its own in the file. */
export function readSections(bytes: Uint8Array, file: string): Sections {
  const { source, header } = readHeader(bytes, file)
  if (header.e_shoff === 0n) return { source, header, sections: [] }

  if (header.e_shentsize !== rowSize) {
    throw errors.ELF_ENTRY_SIZE(fault(source, 'e_shentsize', at.e_shentsize, rowSize, header.e_shentsize))
  }
  const tableAt = exact(header.e_shoff)
  if (tableAt < FileHeader.size) {
    const expected = `at least ${FileHeader.size}`
    throw errors.ELF_OVERLAP(fault(source, 'e_shoff', at.e_shoff, expected, header.e_shoff))
  }
  const room = Math.max(0, bytes.length - tableAt)
  if (room < rowSize) {
    const expected = `at most ${Math.max(0, bytes.length - rowSize)}`
    throw errors.ELF_TRUNCATED(fault(source, 'e_shoff', at.e_shoff, expected, header.e_shoff))
  }

  // Extended numbering: a count or an index that 16 bits cannot hold stands in section 0.
  const first = SectionHeader.readAt(source.view, tableAt, source.littleEndian)
  const extended = header.e_shnum === 0
  const count = extended ? exact(first.sh_size) : header.e_shnum
  if (count * rowSize > room) {
    const [path, place] = extended ? ['sections[0].sh_size', tableAt + row.sh_size] : ['e_shnum', at.e_shnum]
    const expected = `at most ${Math.floor(room / rowSize)} section headers`
    throw errors.ELF_TRUNCATED(fault(source, path, place, expected, extended ? first.sh_size : count))
  }
  const farNames = header.e_shstrndx === specialSections.value('xindex')
  const namesIndex = farNames ? first.sh_link : header.e_shstrndx

  const sections: ElfSection[] = []
  let readName: ReadName | undefined
  const nameOf = (offset: number, path: string, place: number): string => {
    if (namesIndex === specialSections.value('undef')) return ''
    const names = sections[namesIndex]
    if (names?.type !== sectionTypes.value('strtab')) {
      const actual = names === undefined ? `${namesIndex} of ${count}` : sectionTypes.format(names.type)
      const expected = 'the index of a string table'
      throw errors.ELF_LINK(
        farNames
          ? fault(source, 'sections[0].sh_link', tableAt + row.sh_link, expected, actual)
          : fault(source, 'e_shstrndx', at.e_shstrndx, expected, actual),
      )
    }
    readName ??= stringTable(names.data)
    return readName(offset, (expected, actual) => fault(source, path, place, expected, actual))
  }
  const spans: Span[] = [
    { start: 0, end: FileHeader.size, path: 'e_ident', at: 0 },
    { start: tableAt, end: tableAt + count * rowSize, path: 'e_shoff', at: at.e_shoff },
  ]
  for (let index = 0; index < count; index++) {
    const section = readSection(source, index, tableAt + index * rowSize, nameOf)
    sections.push(section)
    if (section.data.length === 0) continue
    const { offset, headerOffset } = section
    const end = offset + section.size
    spans.push({ start: offset, end, path: `sections[${index}].sh_offset`, at: headerOffset + row.sh_offset })
  }
  checkOverlap(source, spans)
  return { source, header, sections }
}

/** System V gABI, "Sections": no byte of a file is in more than one section. */
function checkOverlap(source: ElfSource, spans: Span[]): void {
  spans.sort((a, b) => a.start - b.start)
  let before = spans[0]
  for (const span of spans.slice(1)) {
    if (before !== undefined && span.start < before.end) {
      const expected = `at least ${before.end}, behind ${before.path}`
      throw errors.ELF_OVERLAP(fault(source, span.path, span.at, expected, span.start))
    }
    before = span
  }
}

function readSection(
  source: ElfSource,
  index: number,
  headerOffset: number,
  nameOf: (offset: number, path: string, place: number) => string,
): ElfSection {
  const { bytes, view, littleEndian } = source
  const word = (field: WordField): number => view.getUint32(headerOffset + row[field], littleEndian)
  const long = (field: LongField): bigint => view.getBigUint64(headerOffset + row[field], littleEndian)
  const type = word('sh_type')
  const inFile = type !== nobits && type !== nullType
  const path = `sections[${index}]`
  // Section 0 may hold a count in place of a size; of the others every size must be meant.
  const offset = exact(long('sh_offset'))
  const size = exact(long('sh_size'))
  const bound = (field: 'sh_offset' | 'sh_size', expected: string) =>
    errors.ELF_SECTION_BOUNDS(
      fault(source, `${path}.${field}`, headerOffset + row[field], expected, long(field)),
    )
  if (inFile) {
    if (offset > bytes.length) throw bound('sh_offset', `at most ${bytes.length}`)
    if (size > bytes.length - offset) throw bound('sh_size', `at most ${bytes.length - offset}`)
  } else {
    if (size === Infinity) throw bound('sh_size', 'less than 2^53')
    if (offset === Infinity) throw bound('sh_offset', 'less than 2^53')
  }
  let name: string | undefined
  return {
    index,
    headerOffset,
    get name() {
      return (name ??= nameOf(word('sh_name'), `${path}.sh_name`, headerOffset))
    },
    type,
    flags: long('sh_flags'),
    addr: long('sh_addr'),
    offset,
    size,
    link: word('sh_link'),
    info: word('sh_info'),
    addralign: long('sh_addralign'),
    entsize: exact(long('sh_entsize')),
    data: inFile ? bytes.subarray(offset, offset + size) : empty,
  }
}
