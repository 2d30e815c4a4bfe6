import { textUntilNul } from '@tsbpf/base'
import type { ElfFile } from './elf-file.ts'
import { NoteHeader, SectionHeader, sectionTypes, segmentTypes } from './elf-layout.ts'
import { errors } from './errors.ts'
import { limits } from './limits.ts'
import { fault, sourceOf } from './source.ts'
import type { ElfSource } from './source.ts'

const { size: headerSize, offsets: field } = NoteHeader

/** One note: who wrote it says what it means. */
export interface ElfNote {
  /** Who defines the type, such as `GNU`, `Linux` or `stapsdt`. */
  readonly name: string
  /** `n_type`: of the name `GNU`, 1 is the ABI and 3 the build id. */
  readonly type: number
  /** View of the note's bytes. */
  readonly desc: Uint8Array
  /** Path of the note, for messages: `sections[5].notes[0]`. */
  readonly path: string
  /** Offset in the file of the note's header. */
  readonly offset: number
}

function* readNotes(
  source: ElfSource,
  data: Uint8Array,
  start: number,
  align: number,
  path: string,
): Generator<ElfNote> {
  const { littleEndian } = source
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const up = (at: number) => Math.ceil(at / align) * align
  let at = 0
  for (let index = 0; at < data.length; index++) {
    const note = `${path}[${index}]`
    const left = data.length - at
    if (left < headerSize) {
      throw errors.ELF_NOTE(
        fault(source, note, start + at, `a note's header of ${headerSize} bytes`, `${left} bytes`),
      )
    }
    const { n_namesz, n_descsz, n_type } = NoteHeader.readAt(view, at, littleEndian)
    const fail = (name: 'n_namesz' | 'n_descsz', room: number, actual: number) =>
      errors.ELF_NOTE(
        fault(source, `${note}.${name}`, start + at + field[name], `at most ${Math.max(0, room)}`, actual),
      )
    const nameAt = at + headerSize
    if (n_namesz > data.length - nameAt) throw fail('n_namesz', data.length - nameAt, n_namesz)
    const descAt = up(nameAt + n_namesz)
    if (n_descsz > 0 && n_descsz > data.length - descAt) {
      throw fail('n_descsz', data.length - descAt, n_descsz)
    }
    yield {
      name: textUntilNul(data.subarray(nameAt, nameAt + n_namesz)),
      type: n_type,
      desc: data.subarray(descAt, descAt + n_descsz),
      path: note,
      offset: start + at,
    }
    at = up(descAt + n_descsz)
  }
}

/** Options of {@link parseNotes}. */
export interface ParseNotesOptions {
  readonly littleEndian: boolean
  /** What names and contents are padded to; 4 unless given. */
  readonly align?: 4 | 8
  /** Name of the bytes, for messages; `notes` unless given. */
  readonly name?: string
}

/**
 * Notes that stand alone, outside an ELF file: `/sys/kernel/notes` holds those of the running kernel, its build id
 * among them. Made one at a time; `desc` aliases `bytes`. Throws `ELF_NOTE` where one reaches past the end.
 */
export function parseNotes(bytes: Uint8Array, options: ParseNotesOptions): Generator<ElfNote> {
  const { littleEndian, align = 4, name = 'notes' } = options
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return readNotes({ bytes, view, littleEndian, file: name }, bytes, 0, align, 'notes')
}

/**
 * All notes of a file, one at a time: of its sections, or of its segments where it has no sections of notes.
 * `desc` aliases the file (System V gABI, "Note Section"). Throws `ELF_NOTE` where a note reaches past the end of its
 * section, where the alignment is neither 4 nor 8, and where segments overlap without measure.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { notes, parseElf } from '@tsbpf/elf'
 * for (const { name, type, desc } of notes(parseElf(await readFile('/usr/bin/env')))) console.log(name, type, desc)
 * ```
 */
export function* notes(elf: ElfFile): Generator<ElfNote> {
  const source = sourceOf(elf)
  const sections = elf.sections.filter((section) => section.type === sectionTypes.value('note'))
  const places =
    sections.length > 0
      ? sections.map(({ index, data, offset, addralign, headerOffset }) => {
          const at = headerOffset + SectionHeader.offsets.sh_addralign
          return { path: `sections[${index}]`, field: 'sh_addralign', at, data, offset, align: addralign }
        })
      : elf.segments
          .filter((segment) => segment.type === segmentTypes.value('note'))
          .map(({ index, data, offset, align }) => {
            return { path: `segments[${index}]`, field: 'p_align', at: offset, data, offset, align }
          })
  let budget = elf.bytes.length * limits.noteOverlap
  for (const { path, field: name, at, data, offset, align } of places) {
    if (align > 4n && align !== 8n)
      throw errors.ELF_NOTE(fault(source, `${path}.${name}`, at, '4 or 8', align))
    budget -= data.length
    if (budget < 0) {
      const expected = `notes that overlap at most ${limits.noteOverlap} times`
      throw errors.ELF_NOTE(fault(source, path, offset, expected, 'more'))
    }
    yield* readNotes(source, data, offset, align === 8n ? 8 : 4, `${path}.notes`)
  }
}

/** `NT_GNU_BUILD_ID` (include/uapi/linux/elf.h has the note types of the kernel; this one is the GNU linker's). */
const buildIdType = 3

/**
 * The build id as hexadecimal digits, which tells one build of a file from all others, `undefined` where the file has
 * none. It names the file with the debug information: `/usr/lib/debug/.build-id/ab/cdef….debug`.
 * Throws what {@link notes} throws.
 */
export function buildId(elf: ElfFile): string | undefined {
  for (const { name, type, desc } of notes(elf)) {
    if (name !== 'GNU' || type !== buildIdType) continue
    return Array.from(desc, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
  return undefined
}
