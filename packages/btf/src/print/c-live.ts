import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import type { CTypes } from './c-types.ts'
import {
  definers,
  kindFuncProto,
  kindFwd,
  kindStruct,
  kindTypedef,
  kindUnion,
  nextWords,
} from './kind-numbers.ts'

/** Anonymous structs and parameter lists within each other that are looked through. */
const deepest = 32

/**
 * The types of a rank by id, or of a later one, that lead to a forward declaration or typedef that is not done:
 * `isDone`, by id, has `done` for what is.
 */
export function liveTypes(
  flat: CTypes,
  ranks: Uint8Array,
  firstRank: number,
  isDone: Uint8Array,
  done: number,
): Uint32Array {
  const { words, starts, kinds, endId } = flat
  const dead = 1
  const live = 2
  /** By id, of functions and anonymous structs. */
  const known = new Uint8Array(endId)
  let depth = 0
  const isLive = (id: number): boolean => {
    let at = id
    for (let step = 0; step < limits.resolveSteps; step++) {
      if (isDone[at] === done) return false
      const next = nextWords[kinds[at] ?? 0] ?? 0
      if (next === 0) break
      at = words[(starts[at] ?? 0) + next] ?? 0
    }
    const before = known[at] ?? 0
    return before === 0 ? search(at) : before === live
  }
  const search = (id: number): boolean => {
    const kind = kinds[id] ?? 0
    const start = starts[id] ?? 0
    const record = kind === kindStruct || kind === kindUnion
    if (kind !== kindFuncProto && !(record && words[start] === 0)) {
      return isDone[id] !== done && (kind === kindFwd || kind === kindTypedef || record)
    }
    // Too deep to tell: one more to sort does no harm.
    if (depth >= deepest) return true
    // Circles lead through structs and typedefs, which end the search.
    known[id] = dead
    depth++
    const each = record ? 3 : 2
    let answer = !record && isLive(words[start + 2] ?? 0)
    const end = start + 3 + vlenOfInfo(words[start + 1] ?? 0) * each
    for (let at = start + 4; at < end && !answer; at += each) {
      const to = words[at] ?? 0
      answer = isDone[to] !== done && definers[kinds[to] ?? 0] === 1 && isLive(to)
    }
    depth--
    known[id] = answer ? live : dead
    return answer
  }
  const found: number[] = []
  for (let id = 1; id < endId; id++) {
    if ((ranks[id] ?? 0) >= firstRank && isDone[id] !== done && isLive(id)) found.push(id)
  }
  return Uint32Array.from(found)
}
