import type { Btf } from './btf-type.ts'
import { readHeader } from './header.ts'
import { stringBytes } from './string-bytes.ts'
import type { StringBytes } from './string-bytes.ts'
import { indexTypes } from './type-index.ts'
import type { TypeIndex } from './type-index.ts'

/** What parsing found: printers go through all types, and need not find them again. */
export interface BtfTables {
  readonly index: TypeIndex
  readonly strings: StringBytes
}

const known = new WeakMap<Btf, BtfTables>()

/** Keeps the tables of a BTF as long as it. */
export function keepTables(btf: Btf, tables: BtfTables): void {
  known.set(btf, tables)
}

/** The tables of a BTF's own types; found again where it is another's implementation. */
export function tablesOf(btf: Btf): BtfTables {
  const before = known.get(btf)
  if (before !== undefined) return before
  const sections = readHeader(btf.bytes, 'BTF', btf.base !== undefined)
  const strings = stringBytes(btf.bytes, sections, btf.base)
  const tables = { index: indexTypes(btf.bytes, sections, 'BTF', btf.firstId), strings }
  known.set(btf, tables)
  return tables
}
