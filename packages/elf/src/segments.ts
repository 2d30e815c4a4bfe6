import type { ElfSection, ElfSegment } from './elf-file.ts'
import { FileHeader, ProgramHeader } from './elf-layout.ts'
import { errors } from './errors.ts'
import type { ElfHeader } from './sections.ts'
import { exact, fault } from './source.ts'
import type { ElfSource } from './source.ts'

const at = FileHeader.offsets
const { size: rowSize, offsets: row } = ProgramHeader
/** `PN_XNUM`: the count stands in section 0. */
const extended = 0xffff

/** All program headers; each segment lies in the file and in 64 bits of memory. */
export function readSegments(
  source: ElfSource,
  header: ElfHeader,
  sections: readonly ElfSection[],
): readonly ElfSegment[] {
  const { bytes, view, littleEndian } = source
  const far = header.e_phnum === extended ? sections[0] : undefined
  const count = far?.info ?? header.e_phnum
  if (count === 0) return []
  if (header.e_phentsize !== rowSize) {
    throw errors.ELF_ENTRY_SIZE(fault(source, 'e_phentsize', at.e_phentsize, rowSize, header.e_phentsize))
  }
  const tableAt = exact(header.e_phoff)
  if (tableAt < FileHeader.size) {
    const expected = `at least ${FileHeader.size}`
    throw errors.ELF_OVERLAP(fault(source, 'e_phoff', at.e_phoff, expected, header.e_phoff))
  }
  const room = Math.floor((bytes.length - tableAt) / rowSize)
  if (room < 1) {
    const expected = `at most ${bytes.length - rowSize}`
    throw errors.ELF_TRUNCATED(fault(source, 'e_phoff', at.e_phoff, expected, header.e_phoff))
  }
  if (count > room) {
    const [path, place] =
      far === undefined ? ['e_phnum', at.e_phnum] : ['sections[0].sh_info', far.headerOffset + 44]
    throw errors.ELF_TRUNCATED(fault(source, path, place, `at most ${room} program headers`, count))
  }
  return Array.from({ length: count }, (_, index) => {
    const place = tableAt + index * rowSize
    const read = ProgramHeader.readAt(view, place, littleEndian)
    const fail = (field: keyof typeof row, expected: string) =>
      errors.ELF_SEGMENT(
        fault(source, `segments[${index}].${field}`, place + row[field], expected, read[field]),
      )
    const offset = exact(read.p_offset)
    const filesz = exact(read.p_filesz)
    // A segment of zeroes alone may stand anywhere, and a NULL row says nothing.
    if (filesz > 0 && read.p_type !== 0) {
      if (offset > bytes.length) throw fail('p_offset', `at most ${bytes.length}`)
      if (filesz > bytes.length - offset) throw fail('p_filesz', `at most ${bytes.length - offset}`)
    }
    if (read.p_type === 1 && read.p_memsz < read.p_filesz) throw fail('p_memsz', `at least ${filesz}`)
    if (read.p_vaddr + read.p_memsz > 1n << 64n) throw fail('p_memsz', `at most 2^64 - ${read.p_vaddr}`)
    return {
      index,
      type: read.p_type,
      flags: read.p_flags,
      offset,
      vaddr: read.p_vaddr,
      paddr: read.p_paddr,
      filesz,
      memsz: read.p_memsz,
      align: read.p_align,
      data: bytes.subarray(offset, offset + filesz),
    }
  })
}
