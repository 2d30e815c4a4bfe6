import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A BPF object that a file is or has in it, as skeletons of libbpf have. */
interface EmbeddedObject {
  readonly name: string
  readonly bytes: Uint8Array
}

const magic = Buffer.from('\x7fELF\x02\x01\x01', 'latin1')
const bpf = 247

/** Every little-endian BPF object in the files of a folder, each once however many files have it. */
export function embeddedObjects(folder: string): EmbeddedObject[] {
  const found = new Map<string, EmbeddedObject>()
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const file = readFileSync(join(entry.parentPath, entry.name))
    for (let at = file.indexOf(magic); at >= 0; at = file.indexOf(magic, at + 1)) {
      if (at + 64 > file.length || file.readUInt16LE(at + 18) !== bpf) continue
      // The section headers stand last.
      const size = Number(file.readBigUInt64LE(at + 40)) + file.readUInt16LE(at + 58) * file.readUInt16LE(at + 60)
      if (size > file.length - at) continue
      const bytes = file.subarray(at, at + size)
      const key = bytes.toString('latin1')
      if (!found.has(key)) found.set(key, { name: at === 0 ? entry.name : `${entry.name}@${at}`, bytes })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
