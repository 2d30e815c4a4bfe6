import { textUntilNul } from '@tsbpf/base'
import type { ElfFile } from './elf-file.ts'
import { errors } from './errors.ts'
import { fault, sourceOf } from './source.ts'

/** Which file holds the debug information of another. */
export interface DebugLink {
  /** Name of the file, without folder; searched beside the file, in `.debug` and below the system's debug folder. */
  readonly file: string
  /** CRC-32 of the whole file, as zlib counts it. */
  readonly crc: number
}

/**
 * What `.gnu_debuglink` says, `undefined` where there is no such section (GDB manual, "Separate Debug Files").
 * Throws `ELF_DEBUG_LINK` where it does not hold a name and a checksum.
 */
export function debugLink(elf: ElfFile): DebugLink | undefined {
  const section = elf.section('.gnu_debuglink')
  if (section === undefined) return undefined
  const { data, offset, index } = section
  const end = data.indexOf(0)
  const crcAt = Math.ceil((end + 1) / 4) * 4
  const source = sourceOf(elf)
  if (end < 1 || crcAt + 4 > data.length) {
    const actual = `${data.length} bytes`
    throw errors.ELF_DEBUG_LINK(
      fault(source, `sections[${index}].data`, offset, 'a name that ends with NUL, and 4 bytes', actual),
    )
  }
  return {
    file: textUntilNul(data),
    crc: source.view.getUint32(offset + crcAt, source.littleEndian),
  }
}
