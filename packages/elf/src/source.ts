import type { ElfFile } from './elf-file.ts'
import type { ElfFailure } from './errors.ts'

/** The file that is being read, for those who read a part of it. */
export interface ElfSource {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly littleEndian: boolean
  /** For messages. */
  readonly file: string
}

/** A parsed file as a source again. */
export function sourceOf(elf: ElfFile): ElfSource {
  const { bytes, littleEndian, name } = elf
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { bytes, view, littleEndian, file: name }
}

/** The facts of an error about the field at `path`, which stands at `offset` in the file. */
export function fault(
  source: Pick<ElfSource, 'file'>,
  path: string,
  offset: number,
  expected: string | number,
  actual: string | number | bigint,
): ElfFailure {
  return { file: source.file, path, offset, expected: String(expected), actual: String(actual) }
}

/** A number of the file as one that JavaScript holds exactly, or `Infinity`, which fails every bounds check. */
export function exact(value: bigint): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Infinity
}
