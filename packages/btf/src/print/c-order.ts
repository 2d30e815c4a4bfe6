import { vlenOfInfo } from '../kinds.ts'
import { cycleAt } from './c-layout.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import {
  kindArray,
  kindEnum,
  kindEnum64,
  kindFuncProto,
  kindFwd,
  kindInt,
  kindPtr,
  kindStruct,
  kindTypedef,
  kindUnion,
  nextWords,
} from './kind-numbers.ts'

const ordering = 1
/** See {@link COrder.state}. */
export const ordered = 2

/** Puts definitions in an order in which C takes them. */
export interface COrder {
  /** Puts what has to be defined for a type, and the type itself, behind `queue`, each only the first time. */
  add(id: number, queue: number[]): void
  /** By id: `ordered` for a type that has been put in order, so that adding it does nothing. */
  readonly state: Uint8Array
}

/**
 * Order by need (`btf_dump_order_type` of libbpf, on a stack of its own): what a struct embeds is defined before it;
 * what it only points to may come later, for which a forward declaration is enough. That is not so where the way to it
 * leads through an anonymous struct, which is written in place, or a typedef.
 *
 * The answer for a type is "strong" when it had to be defined, "weak" when a declaration will do.
 */
export function cOrder(flat: CTypes, steps: CSteps): COrder {
  const { words, starts, kinds, referenced, endId } = flat
  const state = new Uint8Array(endId)
  state[0] = ordered
  // The types on the way to the one that is looked at.
  const ids: number[] = []
  const throughs: boolean[] = []
  const nexts: number[] = []
  const strongs: boolean[] = []
  let depth = 0

  const push = (id: number, through: boolean): void => {
    // A longer way than there are types, each with and without a pointer before it, goes in a circle.
    if (depth > endId * 2) throw cycleAt(flat, id)
    ids[depth] = id
    throughs[depth] = through
    nexts[depth] = 0
    strongs[depth] = false
    depth++
  }

  /** Whether a pointer needs nothing more; its answer is then that of what it points to. */
  const isPlainPointer = (id: number): boolean => {
    const to = words[(starts[id] ?? 0) + 2] ?? 0
    if (state[to] !== ordered) {
      const kind = kinds[to]
      if ((kind !== kindStruct && kind !== kindUnion) || words[starts[to] ?? 0] === 0) return false
    }
    state[id] = ordered
    return true
  }

  /** Position of the first member at or after `next` that needs more than a look. */
  const skipPlain = (start: number, next: number, vlen: number): number => {
    let i = next
    for (; i < vlen; i++) {
      let id = words[start + 4 + i * 3] ?? 0
      let kind = kinds[id] ?? 0
      while (kind === kindArray && state[id] !== ordered) {
        id = words[(starts[id] ?? 0) + 3] ?? 0
        kind = kinds[id] ?? 0
        if (--steps.left < 0) throw tooManySteps()
      }
      if (state[id] === ordered) continue
      if (kind === kindInt) state[id] = ordered
      else if (kind !== kindPtr || !isPlainPointer(id)) break
    }
    steps.left -= i - next
    if (steps.left < 0) throw tooManySteps()
    return i
  }

  const add = (root: number, queue: number[]): void => {
    let id = root
    let through = false
    depth = 0
    for (;;) {
      let strong: boolean | undefined
      // Down to a type that has an answer, or members.
      while (strong === undefined) {
        if (--steps.left < 0) throw tooManySteps()
        if (state[id] === ordered) {
          strong = true
          break
        }
        const kind = kinds[id] ?? 0
        const start = starts[id] ?? 0
        if (state[id] === ordering) {
          if (!through || words[start] === 0) throw cycleAt(flat, id)
          strong = false
        } else if (kind === kindPtr) {
          const to = words[start + 2] ?? 0
          const known = state[to] === ordered
          if (isPlainPointer(id)) strong = known
          else {
            push(id, through)
            id = to
            through = true
          }
        } else if (kind === kindTypedef || kind === kindFuncProto) {
          push(id, through)
          id = words[start + 2] ?? 0
        } else if (kind === kindStruct || kind === kindUnion) {
          strong = false
          if (through && words[start] !== 0) break
          state[id] = ordering
          push(id, through)
        } else if (kind === kindEnum || kind === kindEnum64 || kind === kindFwd) {
          if (words[start] !== 0 || referenced[id] === 0) queue.push(id)
          state[id] = ordered
          strong = true
        } else {
          const next = nextWords[kind] ?? 0
          if (next === 0) {
            // Ints and floats need no definition; functions and variables are none of C's types.
            state[id] = ordered
            strong = false
          } else {
            if (kind === kindArray) through = false
            id = words[start + next] ?? 0
          }
        }
      }
      // Up to a type that has more to look at.
      for (;;) {
        if (depth === 0) return
        const last = depth - 1
        const top = ids[last] ?? 0
        const start = starts[top] ?? 0
        const kind = kinds[top]
        if (kind === kindPtr) state[top] = ordered
        else if (kind === kindTypedef) {
          if (throughs[last] !== true || strong) {
            queue.push(top)
            state[top] = ordered
            strong = true
          }
        } else {
          const vlen = vlenOfInfo(words[start + 1] ?? 0)
          const next = nexts[last] ?? 0
          if (kind === kindFuncProto) {
            strong = strong || (strongs[last] ?? false)
            if (next < vlen) {
              strongs[last] = strong
              nexts[last] = next + 1
              id = words[start + 4 + next * 2] ?? 0
              through = throughs[last] ?? false
              break
            }
          } else {
            const more = skipPlain(start, next, vlen)
            if (more < vlen) {
              nexts[last] = more + 1
              id = words[start + 4 + more * 3] ?? 0
              through = false
              break
            }
            if (words[start] !== 0) queue.push(top)
            state[top] = ordered
            strong = true
          }
        }
        depth--
      }
    }
  }
  return { add, state }
}
