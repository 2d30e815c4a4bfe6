import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of this folder. */
export const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, name)))

/** What `objects.json` records. */
export const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'objects.json'), 'utf8')) as {
  readonly judges: readonly string[]
  readonly objects: Readonly<Record<string, unknown>>
}

export { sectionsOf } from '../elf-sections.ts'
