import { vlenOfInfo } from '../kinds.ts'
import { ordered } from './c-order.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import { kindFuncProto, kindFwd, kindStruct, kindTypedef, kindUnion, nextWords } from './kind-numbers.ts'

/** By kind: 1 for what C defines, if it has a name, and 2 for what leads to that. */
const roles = Uint8Array.from(nextWords, (word) => (word === 0 ? 0 : 2))
for (const kind of [kindFwd, kindTypedef]) roles[kind] = 1
for (const kind of [kindStruct, kindUnion, kindFuncProto]) roles[kind] = 2

/**
 * By id: 1 for what C defines and is not in order yet (`state`), and for pointers, arrays, qualifiers, functions and
 * structs without a name that lead to it: marks spread until a pass through all types finds no more.
 */
export function liveTypes(flat: CTypes, steps: CSteps, state: Uint8Array): Uint8Array {
  const live = new Uint8Array(flat.endId)
  do {
    steps.left -= flat.words.length
    if (steps.left < 0) throw tooManySteps()
  } while (spread(flat, state, live) > 0)
  return live
}

/** One pass; the answer is how many marks are new. */
function spread(flat: CTypes, state: Uint8Array, live: Uint8Array): number {
  const { kinds, endId } = flat
  let found = 0
  for (let id = 1; id < endId; id++) {
    const role = roles[kinds[id] ?? 0]
    if (role === 0 || state[id] === ordered || live[id] === 1) continue
    // Written each time: a branch that is new to the engine makes it compile the loop again.
    const mark = role === 1 || leadsToLive(flat, live, id) ? 1 : 0
    live[id] = mark
    found += mark
  }
  return found
}

function leadsToLive({ words, starts, kinds }: CTypes, live: Uint8Array, id: number): boolean {
  const kind = kinds[id] ?? 0
  const start = starts[id] ?? 0
  const next = nextWords[kind] ?? 0
  if (next !== 0) return live[words[start + next] ?? 0] === 1
  const record = kind !== kindFuncProto
  if (record && words[start] !== 0) return true
  const each = record ? 3 : 2
  const end = start + 3 + vlenOfInfo(words[start + 1] ?? 0) * each
  for (let at = start + (record ? 4 : 2); at < end; at += each) if (live[words[at] ?? 0] === 1) return true
  return false
}
