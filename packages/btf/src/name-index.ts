import type { TypeId } from '@tsbpf/base'
import { essentialName } from './essential-name.ts'
import { structKind } from './type-index.ts'
import { prefixAt } from './string-bytes.ts'
import type { StringBytes } from './string-bytes.ts'
import type { TypeIndex } from './type-index.ts'

/** Finds own types of one BTF by name, and by essential name; ids ascending. */
export interface NameIndex {
  /** Of one kind, by its number, or of all. */
  named(name: string, kind?: number): readonly TypeId[]
  /** Likewise. */
  essential(name: string, kind?: number): readonly TypeId[]
}

/** Names of the types of one kind, or of all. */
interface NameTable {
  /** Position (id less the first own) of each type, ascending; `undefined` where the table has all types. */
  readonly positions: Uint32Array | undefined
  /** How the name of each begins, see `StringBytes.prefix`. */
  readonly prefixes: Uint32Array
  scanned: number
  chains: Chains | undefined
}

/** Rows that are scanned before chains are made: 200 scans of a kernel's 11,000 structs, or 16 of all its types. */
const scannedBeforeChains = 1 << 21
const chainBits = 16

const encoder = new TextEncoder()

/**
 * Names are found by their first four bytes, in a table for each kind that is asked for, or for all: with a native scan
 * for a few names (4 µs each among a kernel's 11,000 structs), with hash chains for many. Nothing is decoded that does not
 * match.
 */
export function nameIndex(
  index: TypeIndex,
  strings: StringBytes,
  firstId: number,
  nameOf: (id: number) => string,
): NameIndex {
  const { words, starts } = index
  /** By kind; 0, the kind of void, stands for all. */
  const tables: NameTable[] = []

  const tableOf = (kind: number): NameTable => (tables[kind] ??= makeTable(index, strings, kind))

  /** Calls `found` with each own type, by position, whose name begins with these bytes. */
  const each = (table: NameTable, prefix: number, found: (position: number) => void): void => {
    const { positions, prefixes, chains } = table
    if (chains === undefined) {
      table.scanned += prefixes.length + 1
      if (table.scanned > scannedBeforeChains) table.chains = makeChains(prefixes)
      for (let i = prefixes.indexOf(prefix); i >= 0; i = prefixes.indexOf(prefix, i + 1))
        found(positions === undefined ? i : (positions[i] ?? 0))
      return
    }
    for (let next = chains.heads[chainOf(prefix)] ?? 0; next > 0; next = chains.nexts[next - 1] ?? 0) {
      const i = next - 1
      if (prefixes[i] === prefix) found(positions === undefined ? i : (positions[i] ?? 0))
    }
  }

  const search = (name: string, kind: number, flavours: boolean): readonly TypeId[] => {
    const wanted = encoder.encode(name)
    const ids: TypeId[] = []
    const exact = !flavours || essentialName(name) === name
    if (wanted.length === 0 || wanted.includes(0)) return ids
    const table = tableOf(kind)
    const check = (position: number): void => {
      const offset = words[starts[position] ?? 0] ?? 0
      const how = strings.compare(offset, wanted)
      const id = (firstId + position) as TypeId
      if (how === 'equal') {
        if (exact) ids.push(id)
      } else if (how === 'flavour' && flavours && essentialName(nameOf(id)) === name) {
        ids.push(id)
      }
    }
    each(table, prefixAt(wanted, 0), check)
    if (flavours && wanted.length < 4) {
      // Of a short name, the flavour's underscores are part of the four bytes.
      each(table, prefixAt(encoder.encode(`${name}___`), 0), check)
      ids.sort((a, b) => a - b)
    }
    return ids
  }
  return {
    named: (name, kind = 0) => search(name, kind, false),
    essential: (name, kind = 0) => search(name, kind, true),
  }
}

/**
 * The table of one kind, or of all (0).
 *
 * A function of its own, so that a fresh process compiles it soon. The prefix of a type without a name is 0, which no name
 * begins with.
 */
function makeTable(index: TypeIndex, strings: StringBytes, kind: number): NameTable {
  const { words, starts, count } = index
  const { view, start } = strings
  const last = view.byteLength - 4
  const positions = kind === 0 ? undefined : positionsOf(index, kind)
  const rows = positions === undefined ? count : positions.length
  const prefixes = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const name = words[starts[positions === undefined ? row : (positions[row] ?? 0)] ?? 0] ?? 0
    if (name === 0) continue
    const offset = name - start
    if (offset < 0 || offset > last) {
      prefixes[row] = strings.prefix(name)
      continue
    }
    // What `strings.prefix` does, in line: zero what follows a NUL.
    const four = view.getUint32(offset, true)
    const nul = (four - 0x01010101) & ~four & 0x80808080
    prefixes[row] = nul === 0 ? four : four & (((nul & -nul) >>> 7) - 1)
  }
  return { positions, prefixes, scanned: 0, chains: undefined }
}

/** Positions of the types of a kind. A native scan finds the next one sooner than a loop that is not yet compiled. */
function positionsOf({ kinds, structs, count }: TypeIndex, kind: number): Uint32Array {
  if (kind === structKind) return structs
  // Untouched pages of a large array cost nothing.
  const positions = new Uint32Array(count)
  let rows = 0
  for (let i = kinds.indexOf(kind); i >= 0; i = kinds.indexOf(kind, i + 1)) positions[rows++] = i
  return positions.subarray(0, rows)
}

/** Rows of a name table in chains, ascending, by a hash of their prefix. */
interface Chains {
  /** The first row of each chain, plus one; 0 where it is empty. */
  readonly heads: Uint32Array
  /** By row: the next one of its chain, plus one; 0 for the last. */
  readonly nexts: Uint32Array
}

function chainOf(prefix: number): number {
  return Math.imul(prefix, 0x9e3779b1) >>> (32 - chainBits)
}

function makeChains(prefixes: Uint32Array): Chains {
  const heads = new Uint32Array(1 << chainBits)
  const nexts = new Uint32Array(prefixes.length)
  for (let i = prefixes.length - 1; i >= 0; i--) {
    const prefix = prefixes[i] ?? 0
    if (prefix === 0) continue
    const chain = chainOf(prefix)
    nexts[i] = heads[chain] ?? 0
    heads[chain] = i + 1
  }
  return { heads, nexts }
}
