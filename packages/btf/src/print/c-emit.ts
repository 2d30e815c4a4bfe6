import { vlenOfInfo } from '../kinds.ts'
import type { CWriter } from './c-writer.ts'
import { cycleAt } from './c-layout.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import { builtin } from './c-names.ts'
import { isNamed } from './flat-btf.ts'
import type { CTypes } from './c-types.ts'
import {
  kindEnum,
  kindEnum64,
  kindFuncProto,
  kindFwd,
  kindInt,
  kindStruct,
  kindTypedef,
  kindUnion,
  nextWords,
} from './kind-numbers.ts'
import type { Pen } from './pen.ts'

const emitting = 1
const emitted = 2

/** Types of gcc for Arm's vectors, which its intrinsics use without declaring them. */
const missingTypes = [
  ['__Poly8_t', 'unsigned char'],
  ['__Poly16_t', 'unsigned short'],
  ['__Poly64_t', 'unsigned long long'],
  ['__Poly128_t', 'unsigned __int128'],
] as const

/**
 * Writes definitions in the order they are given, each with the forward declarations that it needs
 * (`btf_dump_emit_type` of libbpf, on a stack of its own).
 */
export function cEmitter(flat: CTypes, pen: Pen, steps: CSteps, writer: CWriter): (root: number) => void {
  const { words, starts, kinds, strings, endId } = flat
  const state = new Uint8Array(endId)
  const declared = new Uint8Array(endId)
  state[0] = emitted
  const ids: number[] = []
  const holders: number[] = []
  const nexts: number[] = []

  /** A typedef that is left to the compiler. */
  const isBuiltin = (id: number): boolean => {
    const start = starts[id] ?? 0
    return words[start + 2] === 0 && isNamed(strings, words[start] ?? 0, builtin)
  }

  const declareRecord = (id: number): void => {
    writer.tag(id)
    pen.text(';\n\n')
    declared[id] = 1
  }
  const defineTypedef = (id: number): void => {
    if (declared[id] === 1 || isBuiltin(id)) return
    writer.define(id)
    pen.text(';\n\n')
  }

  let depth = 0
  const push = (id: number, holder: number, next: number): void => {
    if (depth > endId * 2) throw cycleAt(flat, id)
    ids[depth] = id
    holders[depth] = holder
    nexts[depth] = next
    depth++
  }

  /** Steps through pointers, qualifiers and arrays. */
  const behind = (id: number): number => {
    let at = id
    let next = nextWords[kinds[at] ?? 0] ?? 0
    while (next !== 0 && state[at] !== emitted) {
      if (--steps.left < 0) throw tooManySteps()
      at = words[(starts[at] ?? 0) + next] ?? 0
      next = nextWords[kinds[at] ?? 0] ?? 0
    }
    return at
  }

  /** Whether a type that `holder` refers to needs no more than, maybe, the declaration that this writes. */
  const isSettled = (id: number, holder: number): boolean => {
    if (state[id] === emitted) return true
    const kind = kinds[id]
    if ((kind !== kindStruct && kind !== kindUnion) || words[starts[id] ?? 0] === 0 || holder === 0)
      return false
    if (declared[id] === 0 && id !== holder) declareRecord(id)
    return true
  }

  /** What is neither struct, union, typedef nor function is written at once; true where there is more to do. */
  const begin = (id: number, holder: number): boolean => {
    const kind = kinds[id] ?? 0
    const start = starts[id] ?? 0
    if (kind === kindTypedef || kind === kindStruct || kind === kindUnion) {
      if (state[id] !== emitting) {
        state[id] = emitting
        push(id, holder, 0)
        return true
      }
      // A typedef may be needed in its own definition, behind a pointer; of a struct, isSettled takes care.
      if (kind === kindTypedef && declared[id] === 0) {
        defineTypedef(id)
        declared[id] = 1
      }
      return false
    }
    if (kind === kindFuncProto) {
      push(id, holder, 0)
      return true
    }
    if (kind === kindEnum || kind === kindEnum64) {
      if (holder === 0) {
        writer.define(id)
        pen.text(';\n\n')
      }
    } else if (kind === kindFwd) {
      writer.tag(id)
      pen.text(';\n\n')
    } else if (kind === kindInt) {
      for (const [name, alias] of missingTypes) {
        if (isNamed(strings, words[start] ?? 0, name)) pen.text(`typedef ${alias} ${name};\n\n`)
      }
    }
    state[id] = emitted
    return false
  }

  return (root) => {
    depth = 0
    if (state[root] === emitted || !begin(root, 0)) return
    while (depth > 0) {
      if (--steps.left < 0) throw tooManySteps()
      const last = depth - 1
      const id = ids[last] ?? 0
      const holder = holders[last] ?? 0
      const start = starts[id] ?? 0
      const kind = kinds[id]
      let next = nexts[last] ?? 0
      if (kind === kindTypedef) {
        nexts[last] = 1
        if (next === 0) {
          const to = behind(words[start + 2] ?? 0)
          if (!isSettled(to, id) && begin(to, id)) continue
        }
        defineTypedef(id)
        state[id] = emitted
        depth--
        continue
      }
      // The members' types are needed by the struct, but those of an anonymous one by what holds it.
      const proto = kind === kindFuncProto
      const inner = proto || words[start] === 0 ? holder : id
      const count = vlenOfInfo(words[start + 1] ?? 0) + (proto ? 1 : 0)
      const first = proto ? start + 2 : start + 4
      const each = proto ? 2 : 3
      let more = false
      while (next < count && !more) {
        const to = behind(words[first + next++ * each] ?? 0)
        more = !isSettled(to, inner) && begin(to, inner)
      }
      steps.left -= next - (nexts[last] ?? 0)
      nexts[last] = next
      if (more) continue
      if (!proto) {
        if (holder === 0) {
          writer.define(id)
          pen.text(';\n\n')
          state[id] = emitted
        } else state[id] = 0
      }
      depth--
    }
  }
}
