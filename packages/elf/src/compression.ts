import type { ElfFile, ElfSection } from './elf-file.ts'
import {
  CompressionHeader,
  compressionTypes,
  SectionHeader,
  sectionFlags,
  sectionTypes,
} from './elf-layout.ts'
import { errors } from './errors.ts'
import { limits } from './limits.ts'
import { exact, fault, sourceOf } from './source.ts'

const compressed = BigInt(sectionFlags.value('compressed'))
const { size: headerSize, offsets: field } = CompressionHeader

/** What the header in front of a compressed section's bytes says. */
export interface ElfCompression {
  /** `zlib` or `zstd`; a number that has no name reads `compression(9)`. */
  readonly algorithm: string
  /** Bytes when decompressed, as the file states it: bound it before allocating. */
  readonly size: number
  readonly addralign: bigint
  /** View of the compressed bytes, behind the header. */
  readonly data: Uint8Array
}

/**
 * How a section is compressed (`SHF_COMPRESSED`, which debug information often is), `undefined` where it is not.
 * Decompressing is left to the caller, see {@link sectionContents}: this package stays small and free of libraries.
 * Throws `ELF_COMPRESSED` where the header is cut short, its size is beyond 2^53, or the section has no bytes at all.
 */
export function compressionOf(elf: ElfFile, section: ElfSection): ElfCompression | undefined {
  if ((section.flags & compressed) === 0n) return undefined
  const source = sourceOf(elf)
  const path = `sections[${section.index}]`
  if (section.data.length < headerSize) {
    const place = section.headerOffset + SectionHeader.offsets.sh_size
    const actual = section.type === sectionTypes.value('nobits') ? 'NOBITS' : `${section.size} bytes`
    throw errors.ELF_COMPRESSED(
      fault(source, `${path}.sh_size`, place, `at least ${headerSize} bytes`, actual),
    )
  }
  const read = CompressionHeader.readAt(source.view, section.offset, source.littleEndian)
  const size = exact(read.ch_size)
  if (size === Infinity) {
    const place = section.offset + field.ch_size
    throw errors.ELF_COMPRESSED(fault(source, `${path}.ch_size`, place, 'less than 2^53', read.ch_size))
  }
  return {
    algorithm: compressionTypes.format(read.ch_type),
    size,
    addralign: read.ch_addralign,
    data: section.data.subarray(headerSize),
  }
}

/** Decompresses `data` into exactly `size` bytes. */
export type Inflate = (data: Uint8Array, compression: ElfCompression) => Uint8Array

/** Options of {@link sectionContents}. */
export interface SectionContentsOptions {
  /** Bytes that the contents may have; 2^30 unless given. */
  readonly maxSize?: number
}

/**
 * The bytes that a section means: its `data`, or that decompressed by `inflate`, which is only called where the section
 * is compressed. Have `inflate` stop at `size` bytes, or a small file may make it fill the memory. Where decompressing
 * is asynchronous, as with `DecompressionStream`, take {@link compressionOf} and do it there.
 *
 * Throws `ELF_COMPRESSED` as {@link compressionOf} does, where the stated size is above `maxSize`, and where `inflate`
 * threw (as the cause) or gave another size.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { inflateSync } from 'node:zlib'
 * import { parseElf, sectionContents } from '@tsbpf/elf'
 * const elf = parseElf(await readFile('/usr/bin/env'))
 * for (const section of elf.sections) {
 *   const bytes = sectionContents(elf, section, (data, { size }) => inflateSync(data, { maxOutputLength: size }))
 *   console.log(section.name, bytes.length)
 * }
 * ```
 */
export function sectionContents(
  elf: ElfFile,
  section: ElfSection,
  inflate: Inflate,
  options: SectionContentsOptions = {},
): Uint8Array {
  const compression = compressionOf(elf, section)
  if (compression === undefined) return section.data
  const { size, data, algorithm } = compression
  const fail = (expected: string, actual: string | number, cause?: unknown) =>
    errors.ELF_COMPRESSED(
      fault(
        { file: elf.name },
        `sections[${section.index}].ch_size`,
        section.offset + field.ch_size,
        expected,
        actual,
      ),
      { cause },
    )
  const maxSize = options.maxSize ?? limits.contentSize
  if (size > maxSize) throw fail(`at most ${maxSize} bytes`, size)
  let contents: Uint8Array
  try {
    contents = inflate(data, compression)
  } catch (error) {
    throw fail(`${size} bytes of ${algorithm}`, 'data that do not decompress', error)
  }
  if (contents.length !== size) throw fail(`${size} bytes of ${algorithm}`, `${contents.length} bytes`)
  return contents
}
