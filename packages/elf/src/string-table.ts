import { textUntilNul } from '@tsbpf/base'
import { errors } from './errors.ts'
import type { ElfFailure } from './errors.ts'
import { limits } from './limits.ts'

/** Reads names out of one string table, each offset once. `where` makes the facts of an error about the offset. */
export type ReadName = (offset: number, where: NameFault) => string

/** Facts of an error about the field that holds a name's offset. */
type NameFault = (expected: string, actual: string) => ElfFailure

/**
 * Names of the string table `table`.
 * The names read add up to no more than a multiple of the table, so that tails of one long string cannot be multiplied.
 */
export function stringTable(table: Uint8Array): ReadName {
  const known = new Map<number, string>()
  let budget = Math.max(4096, table.length * limits.stringOverlap)
  return (offset, where) => {
    if (offset === 0 && table.length === 0) return ''
    const before = known.get(offset)
    if (before !== undefined) return before
    if (offset >= table.length) {
      throw errors.ELF_STRING(where(`an offset below ${table.length}`, String(offset)))
    }
    const end = table.indexOf(0, offset)
    if (end < 0) throw errors.ELF_STRING(where('a name that ends with NUL', 'the end of the table'))
    budget -= end - offset
    if (budget < 0) {
      throw errors.ELF_STRING(where(`names that overlap at most ${limits.stringOverlap} times`, 'more'))
    }
    const name = textUntilNul(table.subarray(offset, end))
    known.set(offset, name)
    return name
  }
}
