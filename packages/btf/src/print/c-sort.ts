import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { likeness } from './c-likeness.ts'
import { liveTypes } from './c-live.ts'
import type { COrder } from './c-order.ts'
import { compareNames, tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import {
  chainWords,
  definers,
  kindEnum,
  kindEnum64,
  kindFloat,
  kindFuncProto,
  kindInt,
  kindStruct,
  kindUnion,
} from './kind-numbers.ts'

/**
 * By kind: bpftool's rank of a type with a name that leads to one of that kind; 0 for the rest, which comes last. The
 * first is that of enums without a name.
 */
const firstRank = 1
const lastRank = 5
const ranksOfKinds = new Uint8Array(128)
for (const kind of [kindEnum, kindEnum64]) ranksOfKinds[kind] = 2
for (const kind of [kindInt, kindFloat]) ranksOfKinds[kind] = 3
for (const kind of [kindStruct, kindUnion]) ranksOfKinds[kind] = 4
ranksOfKinds[kindFuncProto] = lastRank

/**
 * Adds all types in bpftool's order (`sort_btf_c`): enums without a name, enums, structs and unions, functions, each
 * with the typedefs of it and sorted by name; then the rest. It makes headers of two kernels comparable. The first
 * `lost` are left out.
 *
 * The rest, which is most types, matters only where it leads to something that is not defined yet.
 */
export function addSorted(flat: CTypes, steps: CSteps, order: COrder, lost: number): void {
  const ranks = rankTypes(flat)
  // All at once: the ranks one by one would be sorted by code that is not compiled yet.
  const sorted = sortByName(flat, steps, marked(ranks))
  const leftOut: number[] = []
  for (let rank = firstRank; rank <= lastRank; rank++) {
    sorted.forEach((id) => {
      if (ranks[id] !== rank) return
      if (leftOut.length < lost) leftOut.push(id)
      else order.add(id)
    })
  }
  const live = liveTypes(flat, steps, order.state)
  for (const id of leftOut) live[id] = 0
  sortByName(flat, steps, marked(live)).forEach((id) => {
    order.add(id)
  })
}

/** By id: the rank of a type, 0 also for those that C does not define. */
function rankTypes(flat: CTypes): Uint8Array {
  const { words, starts, kinds, endId } = flat
  const ranks = new Uint8Array(endId)
  for (let id = 1; id < endId; id++) {
    const kind = kinds[id] ?? 0
    if (definers[kind] === 0) continue
    if (words[starts[id] ?? 0] !== 0) ranks[id] = ranksOfKinds[kinds[chainEnd(flat, id)] ?? 0] ?? 0
    else if (kind === kindEnum || kind === kindEnum64) ranks[id] = firstRank
  }
  return ranks
}

/** Ids of marked types. */
function marked(marks: Uint8Array): Uint32Array {
  const ids = new Uint32Array(marks.length)
  let count = 0
  for (let id = 1; id < marks.length; id++) if (marks[id] !== 0) ids[count++] = id
  return ids.subarray(0, count)
}

/** The type that a chain of references ends at, itself for what refers to none, void for a circle. */
function chainEnd(flat: CTypes, id: number): number {
  const { words, starts, kinds } = flat
  let at = id
  for (let step = 0; step < limits.resolveSteps; step++) {
    const next = chainWords[kinds[at] ?? 0] ?? 0
    if (next === 0) return at
    at = words[(starts[at] ?? 0) + next] ?? 0
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

/** Which half of a 64-bit number the host has first. */
const low = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
/** Characters that are sorted at once, and after how many names are compared instead: theirs may be very long. */
const fewChars = 4
const mostChars = 64

/**
 * Sorts by the name of what a type leads to, own name, likeness and id. Four characters of each name and its place in
 * the list make one number, and numbers are sorted by the engine itself, without calls back; those that are alike are
 * sorted by the next four.
 */
function sortByName(flat: CTypes, steps: CSteps, ids: Uint32Array): Uint32Array {
  const { strings, words, starts } = flat
  const count = ids.length
  const names = new Uint32Array(count)
  const numbers = new BigUint64Array(count)
  const halves = new Uint32Array(numbers.buffer)
  for (let i = 0; i < count; i++) {
    names[i] = sortName(flat, ids[i] ?? 0)
    halves[i * 2 + low] = i
  }
  /** Where numbers are alike so far: the first, one more than the last, and the characters that they share. */
  const pending = [0, count, 0]
  /** Where names are the same, or alike for long: the first, and one more than the last. */
  const same: number[] = []
  while (pending.length > 0) {
    const shared = pending.pop() ?? 0
    const end = pending.pop() ?? 0
    const start = pending.pop() ?? 0
    steps.left -= end - start
    if (steps.left < 0) throw tooManySteps()
    for (let i = start; i < end; i++) {
      let at = (names[halves[i * 2 + low] ?? 0] ?? 0) + shared
      let key = 0
      for (let n = 0; n < fewChars; n++) {
        const byte = strings[at] ?? 0
        key = (key << 8) | byte
        if (byte !== 0) at++
      }
      halves[i * 2 + 1 - low] = key
    }
    numbers.subarray(start, end).sort()
    for (let from = start, to = start; from < end; from = to) {
      const key = halves[from * 2 + 1 - low] ?? 0
      while (to < end && halves[to * 2 + 1 - low] === key) to++
      if (to - from === 1) continue
      if ((key & 0xff) === 0 || shared + fewChars === mostChars) same.push(from, to)
      else pending.push(from, to, shared + fewChars)
    }
  }
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = halves[i * 2 + low] ?? 0

  const alike = new Map<number, bigint>()
  const likenessOf = (id: number): bigint => {
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
  for (let i = 0; i < same.length; i += 2) order.subarray(same[i], same[i + 1]).sort(compare)
  for (let i = 0; i < count; i++) order[i] = ids[order[i] ?? 0] ?? 0
  return order
}
