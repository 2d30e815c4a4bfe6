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
  kindPtr,
  kindStruct,
  kindTypedef,
  kindUnion,
  nextWords,
} from './kind-numbers.ts'

const ordering = 1
/** See {@link COrder.state}. */
export const ordered = 2

/**
 * Puts definitions in an order in which C takes them, by need (`btf_dump_order_type` of libbpf, on a stack of its own):
 * what a struct embeds is defined before it; what it only points to may come later, for which a forward declaration is
 * enough. That is not so where the way to it leads through an anonymous struct, which is written in place, or a typedef.
 */
export interface COrder {
  /** Puts what has to be defined for a type, and the type itself, behind the queue, each only the first time. */
  add(id: number): void
  readonly queue: readonly number[]
  /** By id: `ordered` for a type that has been put in order, so that adding it does nothing. */
  readonly state: Uint8Array
}

export function cOrder(flat: CTypes, steps: CSteps): COrder {
  const { words, starts, kinds, referenced, endId } = flat
  const state = new Uint8Array(endId)
  state[0] = ordered
  const queue: number[] = []
  // The types on the way to the one that is looked at, and how many of their references have been.
  const ids: number[] = []
  const nexts: number[] = []
  /** Whether a pointer is on the way. */
  const throughs: boolean[] = []
  /** Of functions: whether what they refer to had to be defined. */
  const strongs: boolean[] = []

  const add = (root: number): void => {
    let id = root
    let through = false
    let depth = 0
    for (;;) {
      // Whether the type had to be defined; else a declaration will do.
      let strong = false
      if (--steps.left < 0) throw tooManySteps()
      const kind = kinds[id] ?? 0
      const named = words[starts[id] ?? 0] !== 0
      const next = nextWords[kind] ?? 0
      let more = false
      if (state[id] === ordered) strong = true
      else if (state[id] === ordering) {
        if (!through || !named) throw cycleAt(flat, id)
      } else if (kind === kindStruct || kind === kindUnion) {
        if (!through || !named) {
          state[id] = ordering
          more = true
        }
      } else if (kind === kindPtr || kind === kindTypedef || kind === kindFuncProto) more = true
      else if (next !== 0) {
        if (kind === kindArray) through = false
        id = words[(starts[id] ?? 0) + next] ?? 0
        continue
      } else {
        // Ints and floats need no definition; functions and variables are none of C's types.
        strong = kind === kindEnum || kind === kindEnum64 || kind === kindFwd
        if (strong && (named || referenced[id] === 0)) queue.push(id)
        state[id] = ordered
      }
      if (more) {
        // A longer way than there are types, each with and without a pointer before it, goes in a circle.
        if (depth > endId * 2) throw cycleAt(flat, id)
        ids[depth] = id
        nexts[depth] = 0
        throughs[depth] = through
        strongs[depth] = false
        depth++
      }
      // Up to a type that has more to look at.
      for (more = false; !more;) {
        if (depth === 0) return
        const last = depth - 1
        const top = ids[last] ?? 0
        const start = starts[top] ?? 0
        const from = kinds[top]
        const record = from === kindStruct || from === kindUnion
        const vlen = vlenOfInfo(words[start + 1] ?? 0)
        let done = nexts[last] ?? 0
        if (record)
          for (; done < vlen && state[words[start + 4 + done * 3] ?? 0] === ordered; done++) steps.left--
        if (done > 0 && strong) strongs[last] = true
        more = done < (record ? vlen : from === kindFuncProto ? vlen + 1 : 1)
        if (more) {
          nexts[last] = done + 1
          id = words[start + (record ? 4 + done * 3 : 2 + done * 2)] ?? 0
          through = !record && (from === kindPtr || (throughs[last] ?? false))
          continue
        }
        depth--
        strong = record || (strongs[last] ?? false)
        if (from === kindTypedef) strong ||= throughs[last] !== true
        if (record ? words[start] !== 0 : from === kindTypedef && strong) queue.push(top)
        if (record || from === kindPtr || (from === kindTypedef && strong)) state[top] = ordered
      }
    }
  }
  return { add, queue, state }
}
