import { isTsbpfError } from '@tsbpf/base'
import { buildId, debugLink, parseElf } from '@tsbpf/elf'
import type { ElfFile } from '@tsbpf/elf'

/** Reads a file as the process sees it; `undefined` where there is none. */
export type ReadInRoot = (path: string) => Uint8Array | undefined

const debugFolder = '/usr/lib/debug'

/**
 * The file with the symbols that were split off `elf`, where the system keeps such: by build id, else by
 * `.gnu_debuglink` beside it (GDB manual, "Separate Debug Files"). One of another build is left alone.
 */
export function debugFile(elf: ElfFile, read: ReadInRoot): ElfFile | undefined {
  try {
    const id = buildId(elf)
    const link = debugLink(elf)
    const folder = elf.name.slice(0, elf.name.lastIndexOf('/'))
    const paths: string[] = []
    if (id !== undefined && id.length > 2) {
      paths.push(`${debugFolder}/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`)
    }
    // The name is the file's own: it must not lead anywhere else.
    if (link !== undefined && !link.file.includes('/')) {
      const { file } = link
      paths.push(`${folder}/${file}`, `${folder}/.debug/${file}`, `${debugFolder}${folder}/${file}`)
    }
    for (const path of paths) {
      const bytes = read(path)
      if (bytes === undefined) continue
      const found = parseElf(bytes, { name: path })
      const same = id === undefined ? crc32(bytes) === link?.crc : buildId(found) === id
      if (same) return found
    }
  } catch (error) {
    if (!isTsbpfError(error)) throw error
  }
  return undefined
}

/** The checksum of zlib and of `.gnu_debuglink`. */
function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0)
    return value
  })
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffff_ffff) >>> 0
}
