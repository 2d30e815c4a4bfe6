import { vlenOfInfo } from '../kinds.ts'
import { compareNames } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import { isNamed } from './flat-btf.ts'
import type { CTypes } from './c-types.ts'
import { kindEnum, kindFwd, kindTypedef } from './kind-numbers.ts'

/**
 * A typedef that each compiler has, with the size of its own target: on BPF that is a pointer, in a kernel's BTF mostly
 * a struct. So the kernel's is the second of that name, but for one that stands for nothing (old versions of gcc),
 * which is left to the compiler.
 */
export const builtin = '__builtin_va_list'

/**
 * Names without conflicts: of several types (or identifiers) of one name, the second printed is `name___2`, as
 * bpftool does; CO-RE takes what follows the three underscores for a flavour. C keeps tags (of structs, unions and
 * enums) apart from identifiers (typedefs and enumerators), so each has its own count.
 *
 * All answers are the number that goes behind the underscores; 1 for the plain name.
 */
export interface CNames {
  /** Of a struct, union, enum, forward declaration or typedef with a name. */
  type(id: number): number
  /** The enumerator whose name is at a string offset; each call counts. */
  enumerator(offset: number): number
}

export function cNames(flat: CTypes, steps: CSteps): CNames {
  const { words, starts, kinds, strings } = flat
  const answers = new Uint32Array(flat.endId)
  const count = nameCounter(strings, steps, flat.endId >>> 1)
  const tag = (id: number): number => count(words[starts[id] ?? 0] ?? 0, tags)
  const typedef = (id: number): number => {
    const start = starts[id] ?? 0
    const offset = words[start] ?? 0
    const answer = count(offset, identifiers)
    if (!isNamed(strings, offset, builtin)) return answer
    return words[start + 2] === 0 ? 1 : answer + 1
  }
  const byKind = Array.from({ length: 128 }, () => tag)
  byKind[kindTypedef] = typedef
  // A forward declaration has the name of what it declares, so it is not counted; nor is an enum without values.
  byKind[kindFwd] = () => 1
  byKind[kindEnum] = (id) => (vlenOfInfo(words[(starts[id] ?? 0) + 1] ?? 0) === 0 ? 1 : tag(id))
  return {
    type(id) {
      const known = answers[id] ?? 0
      if (known !== 0) return known
      const answer = (byKind[kinds[id] ?? 0] ?? tag)(id)
      answers[id] = answer
      return answer
    },
    enumerator: (offset) => count(offset, identifiers),
  }
}

const tags = 0
const identifiers = 1

/**
 * Counts names by their bytes: the answer is how often, with this time, the one at an offset has been of a kind. It
 * grows when there are more than `expected`; pages of a large table that stay empty cost nothing.
 */
function nameCounter(
  strings: Uint8Array,
  steps: CSteps,
  expected: number,
): (offset: number, kind: number) => number {
  let mask = 0xff
  while (mask < expected * 2) mask = mask * 2 + 1
  /** By slot: one more than a string offset, and how often it has been a tag and an identifier. */
  let names = new Uint32Array(mask + 1)
  let counts = new Uint32Array(names.length * 2)
  let used = 0

  /** Where a name is, or where there is room for it. */
  const slotOf = (offset: number): number => {
    let hash = 0x11c9dc5
    let end = offset
    for (let byte = strings[end]; byte !== undefined && byte !== 0; byte = strings[++end])
      hash = Math.imul(hash ^ byte, 0x01000193)
    steps.left -= end - offset
    let slot = (hash ^ (hash >>> 15)) & mask
    // Names that were made to collide cost steps, of which there are so many and no more.
    while (names[slot] !== 0 && compareNames(strings, steps, (names[slot] ?? 0) - 1, offset) !== 0)
      slot = (slot + 1) & mask
    return slot
  }

  const grow = (): void => {
    const old = { names, counts }
    mask = mask * 2 + 1
    names = new Uint32Array(mask + 1)
    counts = new Uint32Array(names.length * 2)
    for (let i = 0; i < old.names.length; i++) {
      const name = old.names[i] ?? 0
      if (name === 0) continue
      const slot = slotOf(name - 1)
      names[slot] = name
      counts.set(old.counts.subarray(i * 2, i * 2 + 2), slot * 2)
    }
  }

  return (offset, kind) => {
    if (used * 2 > mask) grow()
    const slot = slotOf(offset)
    if (names[slot] === 0) {
      names[slot] = offset + 1
      used++
    }
    const count = (counts[slot * 2 + kind] ?? 0) + 1
    counts[slot * 2 + kind] = count
    return count
  }
}
