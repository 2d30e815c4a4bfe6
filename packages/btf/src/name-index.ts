import type { TypeId } from '@tsbpf/base'
import { essentialName } from './essential-name.ts'
import { prefixAt } from './string-bytes.ts'
import type { StringBytes } from './string-bytes.ts'
import type { TypeIndex } from './type-index.ts'

/** Finds own types of one BTF by name, and by essential name; ids ascending. */
export interface NameIndex {
  named(name: string): readonly TypeId[]
  essential(name: string): readonly TypeId[]
}

/** Scans that are cheaper than buckets; with more names to find, buckets are made. */
const fewScans = 32
const bucketBits = 16

const encoder = new TextEncoder()

/**
 * Names are found by their first four bytes, which the index of types has for every type: with a native scan for a
 * few names (40 µs each on a kernel's 126,000 types), with buckets for many. Nothing is decoded that does not match.
 */
export function nameIndex(
  index: TypeIndex,
  strings: StringBytes,
  firstId: number,
  nameOf: (id: number) => string,
): NameIndex {
  const { count, words, starts } = index
  const prefixes = index.prefixes.subarray(0, count)
  let scans = 0
  let buckets: Buckets | undefined

  /** Calls `found` with each own type, by position, whose name begins with these bytes. */
  const each = (prefix: number, found: (position: number) => void): void => {
    if (prefix === 0) return
    if (buckets === undefined && ++scans > fewScans) buckets = makeBuckets(prefixes)
    if (buckets !== undefined) {
      const bucket = bucketOf(prefix)
      const end = buckets.heads[bucket + 1] ?? 0
      for (let i = buckets.heads[bucket] ?? 0; i < end; i++) {
        const position = buckets.positions[i] ?? 0
        if (prefixes[position] === prefix) found(position)
      }
      return
    }
    for (let i = prefixes.indexOf(prefix); i >= 0; i = prefixes.indexOf(prefix, i + 1)) found(i)
  }

  const search = (name: string, flavours: boolean): readonly TypeId[] => {
    const wanted = encoder.encode(name)
    const ids: TypeId[] = []
    const plain = essentialName(name) === name
    if (wanted.length === 0 || wanted.includes(0)) return ids
    const check = (position: number): void => {
      const offset = words[starts[position] ?? 0] ?? 0
      const how = strings.compare(offset, wanted)
      const id = (firstId + position) as TypeId
      if (how === 'equal') {
        if (!flavours || plain) ids.push(id)
      } else if (how === 'longer' && flavours && essentialName(nameOf(id)) === name) {
        ids.push(id)
      }
    }
    each(prefixAt(wanted, 0), check)
    if (flavours && wanted.length < 4) {
      // Of a short name, the flavour's underscores are part of the four bytes.
      each(prefixAt(encoder.encode(`${name}___`), 0), check)
      ids.sort((a, b) => a - b)
    }
    return ids
  }
  return { named: (name) => search(name, false), essential: (name) => search(name, true) }
}

/** Positions grouped by a hash of their prefix. */
interface Buckets {
  /** Where each group starts in `positions`; one more row ends the last. */
  readonly heads: Uint32Array
  readonly positions: Uint32Array
}

function bucketOf(prefix: number): number {
  return Math.imul(prefix, 0x9e3779b1) >>> (32 - bucketBits)
}

function makeBuckets(prefixes: Uint32Array): Buckets {
  const heads = new Uint32Array((1 << bucketBits) + 1)
  const positions = new Uint32Array(prefixes.length)
  for (const prefix of prefixes) {
    const bucket = bucketOf(prefix)
    heads[bucket] = (heads[bucket] ?? 0) + 1
  }
  let sum = 0
  for (let i = 0; i < heads.length; i++) {
    sum += heads[i] ?? 0
    heads[i] = sum
  }
  for (let i = prefixes.length - 1; i >= 0; i--) {
    const bucket = bucketOf(prefixes[i] ?? 0)
    const to = (heads[bucket] ?? 0) - 1
    heads[bucket] = to
    positions[to] = i
  }
  return { heads, positions }
}
