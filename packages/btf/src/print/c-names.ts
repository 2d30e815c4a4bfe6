import { vlenOfInfo } from '../kinds.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import { isNamed, sameNames } from './flat-btf.ts'
import type { CTypes } from './c-types.ts'
import { kindEnum, kindFwd } from './kind-numbers.ts'

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
 * All answers are the number that goes behind the underscores; 1 for the plain name. Whoever writes a name has gone
 * through its bytes and brings their hash.
 */
export interface CNames {
  /** The answer for a type that has been asked for, 0 for any other. */
  known(id: number): number
  /** Tag of a struct, union, enum or forward declaration with a name. */
  tag(id: number, hash: number): number
  typedef(id: number, hash: number): number
  /** The enumerator whose name is at a string offset; each call counts. */
  enumerator(offset: number, hash: number): number
}

export function cNames(flat: CTypes, steps: CSteps): CNames {
  const { words, starts, kinds, strings } = flat
  const answers = new Uint32Array(flat.endId)
  const tags = nameCounter(strings, steps, flat.endId >>> 3)
  const identifiers = nameCounter(strings, steps, flat.endId >>> 1)
  return {
    known: (id) => answers[id] ?? 0,
    tag(id, hash) {
      const start = starts[id] ?? 0
      const kind = kinds[id]
      // A forward declaration has the name of what it declares, so it is not counted; nor is an enum without values.
      const declares = kind === kindFwd || (kind === kindEnum && vlenOfInfo(words[start + 1] ?? 0) === 0)
      const count = declares ? 1 : tags(words[start] ?? 0, hash)
      answers[id] = count
      return count
    },
    typedef(id, hash) {
      const start = starts[id] ?? 0
      const offset = words[start] ?? 0
      let count = identifiers(offset, hash)
      if (isNamed(strings, offset, builtin)) count = words[start + 2] === 0 ? 1 : count + 1
      answers[id] = count
      return count
    },
    enumerator: identifiers,
  }
}

/**
 * Counts names by their bytes: the answer is how often, with this time, the name at an offset has been counted. It
 * grows when there are more than `expected`; pages of a large table that stay empty cost nothing.
 */
function nameCounter(
  strings: Uint8Array,
  steps: CSteps,
  expected: number,
): (offset: number, hash: number) => number {
  let mask = 0xff
  while (mask < expected * 2) mask = mask * 2 + 1
  let offsets = new Uint32Array(mask + 1)
  let hashes = new Int32Array(mask + 1)
  let counts = new Uint32Array(mask + 1)
  let used = 0

  const grow = (): void => {
    const old = { offsets, hashes, counts }
    mask = mask * 2 + 1
    offsets = new Uint32Array(mask + 1)
    hashes = new Int32Array(mask + 1)
    counts = new Uint32Array(mask + 1)
    for (let i = 0; i < old.counts.length; i++) {
      const count = old.counts[i] ?? 0
      if (count === 0) continue
      const hash = old.hashes[i] ?? 0
      let slot = hash & mask
      while (counts[slot] !== 0) slot = (slot + 1) & mask
      offsets[slot] = old.offsets[i] ?? 0
      hashes[slot] = hash
      counts[slot] = count
    }
  }

  return (offset, hash) => {
    // Names that were made to collide cost steps, of which there are so many and no more.
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      if (--steps.left < 0) throw tooManySteps()
      const count = counts[slot] ?? 0
      if (count === 0) {
        offsets[slot] = offset
        hashes[slot] = hash
        counts[slot] = 1
        if (++used * 2 > mask) grow()
        return 1
      }
      if (hashes[slot] === hash && sameNames(strings, offsets[slot] ?? 0, offset)) {
        counts[slot] = count + 1
        return count + 1
      }
    }
  }
}
