import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { likeness } from './c-likeness.ts'
import { liveTypes } from './c-live.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import {
  definers,
  kindArray,
  kindConst,
  kindDeclTag,
  kindEnum,
  kindEnum64,
  kindFloat,
  kindFuncProto,
  kindInt,
  kindPtr,
  kindRestrict,
  kindStruct,
  kindTypeTag,
  kindTypedef,
  kindUnion,
  kindVolatile,
} from './kind-numbers.ts'

/** Ranks of bpftool: the last is that of what is not named, or leads to nothing that is defined. */
const firstRank = 1
const lastRank = 6
/** What is not named; its rank is the last, and mostly it needs no sorting. */
const unnamed = 7

/**
 * The ids of a BTF in bpftool's order (`sort_btf_c`): enums without a name, enums, structs and unions, functions, each
 * with the typedefs of it and sorted by name; then the rest. It makes headers of two kernels comparable.
 *
 * The rest, which is most types, matters only where it leads to something that is not defined yet; `isDone`, by id,
 * has `done` for what is, and is looked at when all others are. The first `lost` are left out.
 */
export function* sortedTypes(
  flat: CTypes,
  steps: CSteps,
  isDone: Uint8Array,
  done: number,
  lost: number,
): Generator<Uint32Array, void, undefined> {
  const { ranks, counts } = rankTypes(flat)
  const byRank = idsByRank(ranks, counts)
  let left = lost
  for (let rank = firstRank; rank <= lastRank; rank++) {
    const ids = rank === lastRank ? liveTypes(flat, ranks, lastRank, isDone, done) : byRank[rank]
    const sorted = sortByName(flat, steps, ids ?? new Uint32Array())
    yield sorted.subarray(left)
    left = Math.max(0, left - sorted.length)
  }
}

/** By id: the rank of a type, 0 where it defines nothing; and how many there are of each. */
function rankTypes(flat: CTypes): { readonly ranks: Uint8Array; readonly counts: Uint32Array } {
  const { words, starts, kinds, endId } = flat
  const ranks = new Uint8Array(endId)
  const counts = new Uint32Array(unnamed + 1)
  for (let id = 1; id < endId; id++) {
    const kind = kinds[id] ?? 0
    if (definers[kind] === 0) continue
    const anonymous = words[starts[id] ?? 0] === 0 && kind !== kindEnum && kind !== kindEnum64
    const rank = anonymous ? unnamed : rankOf(flat, id)
    ranks[id] = rank
    counts[rank] = (counts[rank] ?? 0) + 1
  }
  return { ranks, counts }
}

/** All ids of ranks before the last, rank by rank. */
function idsByRank(ranks: Uint8Array, counts: Uint32Array): Uint32Array[] {
  const ids = Array.from(counts, (count, rank) => new Uint32Array(rank < lastRank ? count : 0))
  const filled = new Uint32Array(counts.length)
  for (let id = 1; id < ranks.length; id++) {
    const rank = ranks[id] ?? 0
    if (rank === 0 || rank >= lastRank) continue
    const at = filled[rank] ?? 0
    filled[rank] = at + 1
    const list = ids[rank]
    if (list !== undefined) list[at] = id
  }
  return ids
}

function rankOf(flat: CTypes, id: number): number {
  const kind = flat.kinds[id]
  if (flat.words[flat.starts[id] ?? 0] === 0) return firstRank
  switch (kind === kindStruct ? kind : flat.kinds[chainEnd(flat, id)]) {
    case kindStruct:
    case kindUnion:
      return 4
    case kindEnum:
    case kindEnum64:
      return 2
    case kindInt:
    case kindFloat:
      return 3
    case kindFuncProto:
      return 5
    default:
      return lastRank
  }
}

/** The type that a chain of references ends at, itself for what refers to none, void for a circle. */
function chainEnd(flat: CTypes, id: number): number {
  const { words, starts, kinds } = flat
  let at = id
  for (let step = 0; step < limits.resolveSteps; step++) {
    switch (kinds[at]) {
      case kindPtr:
      case kindTypedef:
      case kindConst:
      case kindVolatile:
      case kindRestrict:
      case kindTypeTag:
      case kindDeclTag:
        at = words[(starts[at] ?? 0) + 2] ?? 0
        break
      case kindArray:
        at = words[(starts[at] ?? 0) + 3] ?? 0
        break
      default:
        return at
    }
  }
  return 0
}

/**
 * String offset of the name that a type is sorted by: that of what it leads to, and of an enum without a name its
 * first value's.
 */
function sortName(flat: CTypes, id: number): number {
  const { words, starts } = flat
  const end = chainEnd(flat, id)
  if (end === 0) return 0
  const start = starts[end] ?? 0
  const offset = words[start] ?? 0
  if (offset !== 0) return offset
  const kind = flat.kinds[id]
  const values = (kind === kindEnum || kind === kindEnum64) && vlenOfInfo(words[start + 1] ?? 0) > 0
  return values ? (words[start + 3] ?? 0) : 0
}

/** By byte: its place among the 64 characters of C's names, none first; the order of bytes is kept. */
const places = new Uint8Array(256)
for (let byte = 0, place = 0; byte < 256; byte++) {
  if (/[0-9A-Z_a-z]/.test(String.fromCharCode(byte))) place++
  places[byte] = place
}

/** Orders two strings by their bytes, as `strcmp` does; long ones cost steps. */
function compareNames(strings: Uint8Array, steps: CSteps, left: number, right: number): number {
  if (left === right) return 0
  let i = 0
  let a = strings[left] ?? 0
  let b = strings[right] ?? 0
  while (a === b && a !== 0) {
    i++
    a = strings[left + i] ?? 0
    b = strings[right + i] ?? 0
  }
  steps.left -= i
  if (steps.left < 0) throw tooManySteps()
  return a - b
}

/** Which half of a 64-bit number the host has first. */
const low = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
/** Bits of the lower half that hold a place in the list; where that is longer, all of them do. */
const placeBits = 20

/**
 * Sorts by the name of what a type leads to, own name, likeness and id. The first seven characters of each name and
 * its place in the list make one number, and numbers are sorted by the engine itself, without calls back; what they
 * leave alike is sorted on.
 */
function sortByName(flat: CTypes, steps: CSteps, ids: Uint32Array): Uint32Array {
  const { strings, words, starts } = flat
  const count = ids.length
  const names = new Uint32Array(count)
  const numbers = new BigUint64Array(count)
  const halves = new Uint32Array(numbers.buffer)
  const bits = count < 1 << placeBits ? placeBits : 32
  for (let i = 0; i < count; i++) {
    const offset = sortName(flat, ids[i] ?? 0)
    names[i] = offset
    let at = offset
    let key = 0
    for (let n = 0; n < 5; n++) {
      const byte = strings[at] ?? 0
      key = (key << 6) | (places[byte] ?? 0)
      if (byte !== 0) at++
    }
    halves[i * 2 + 1 - low] = key
    let rest = i
    if (bits === placeBits) {
      const byte = strings[at] ?? 0
      const next = byte === 0 ? 0 : (strings[at + 1] ?? 0)
      rest |= ((places[byte] ?? 0) << 26) | ((places[next] ?? 0) << 20)
    }
    halves[i * 2 + low] = rest
  }
  numbers.sort()
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const place = halves[i * 2 + low] ?? 0
    order[i] = bits === 32 ? place : place & 0xfffff
  }

  const alike = new Map<number, string>()
  const likenessOf = (id: number): string => {
    const known = alike.get(id) ?? likeness(flat, steps, id)
    alike.set(id, known)
    return known
  }
  const compare = (a: number, b: number): number => {
    const byName = compareNames(strings, steps, names[a] ?? 0, names[b] ?? 0)
    if (byName !== 0) return byName
    const left = ids[a] ?? 0
    const right = ids[b] ?? 0
    const byOwn = compareNames(strings, steps, words[starts[left] ?? 0] ?? 0, words[starts[right] ?? 0] ?? 0)
    if (byOwn !== 0) return byOwn
    const leftAlike = likenessOf(left)
    const rightAlike = likenessOf(right)
    return leftAlike === rightAlike ? left - right : leftAlike < rightAlike ? -1 : 1
  }
  for (let from = 0; from < count;) {
    const high = halves[from * 2 + 1 - low]
    const lower = bits === 32 ? 0 : (halves[from * 2 + low] ?? 0) >>> bits
    let to = from + 1
    while (
      to < count &&
      halves[to * 2 + 1 - low] === high &&
      (bits === 32 || (halves[to * 2 + low] ?? 0) >>> bits === lower)
    )
      to++
    if (to - from > 1) order.subarray(from, to).sort(compare)
    from = to
  }
  for (let i = 0; i < count; i++) order[i] = ids[order[i] ?? 0] ?? 0
  return order
}
