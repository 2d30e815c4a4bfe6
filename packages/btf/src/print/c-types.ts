import { errors } from '../errors.ts'
import { kinds, vlenOfInfo } from '../kinds.ts'
import { cycleAt } from './c-layout.ts'
import type { FlatBtf } from './flat-btf.ts'

/** Where the references of a kind are, in words from the type's start; 0 where there is none. */
interface ReferenceWords {
  readonly fixed: readonly number[]
  readonly first: number
  readonly each: number
}

const none: ReferenceWords = { fixed: [], first: 0, each: 0 }
const one: ReferenceWords = { fixed: [2], first: 0, each: 0 }
const places = new Map<string, ReferenceWords>([
  ['array', { fixed: [3, 4], first: 0, each: 0 }],
  ['struct', { fixed: [], first: 4, each: 3 }],
  ['union', { fixed: [], first: 4, each: 3 }],
  ['func_proto', { fixed: [2], first: 4, each: 2 }],
  ['datasec', { fixed: [], first: 3, each: 3 }],
  ...(
    ['ptr', 'typedef', 'volatile', 'const', 'restrict', 'func', 'var', 'decl_tag', 'type_tag'] as const
  ).map((name) => [name, one] as const),
])

const fixedOne = new Uint8Array(128)
const fixedTwo = new Uint8Array(128)
const firsts = new Uint8Array(128)
const eaches = new Uint8Array(128)
for (const { name, value } of kinds.rows) {
  const { fixed, first, each } = places.get(name) ?? none
  fixedOne[value] = fixed[0] ?? 0
  fixedTwo[value] = fixed[1] ?? 0
  firsts[value] = first
  eaches[value] = each
}

/** The types of a BTF as C needs them. */
export interface CTypes extends FlatBtf {
  /** By id: the kind's number; 0 for void. */
  readonly kinds: Uint8Array
  /**
   * By id: 1 for types that another one refers to: an anonymous enum that none does is a declaration of constants of its
   * own.
   */
  readonly referenced: Uint8Array
}

/** Goes through all types once and checks their references. Throws `BTF_REFERENCE`. */
export function cTypes(flat: FlatBtf): CTypes {
  const { words, starts, endId } = flat
  const kindsOf = new Uint8Array(endId)
  const referenced = new Uint8Array(endId)
  let most = 0
  for (let id = 1; id < endId; id++) {
    const start = starts[id] ?? 0
    const info = words[start + 1] ?? 0
    const kind = (info >>> 24) & 0x7f
    kindsOf[id] = kind
    const one = fixedOne[kind] ?? 0
    if (one !== 0) {
      const to = words[start + one] ?? 0
      referenced[to] = 1
      if (to > most) most = to
    }
    const two = fixedTwo[kind] ?? 0
    if (two !== 0) {
      const to = words[start + two] ?? 0
      referenced[to] = 1
      if (to > most) most = to
    }
    const each = eaches[kind] ?? 0
    if (each === 0) continue
    const end = start + 3 + (info & 0xffffff) * each
    for (let at = start + (firsts[kind] ?? 0); at < end; at += each) {
      const to = words[at] ?? 0
      referenced[to] = 1
      if (to > most) most = to
    }
  }
  const types = { ...flat, kinds: kindsOf, referenced }
  if (most >= endId) throw badReference(types)
  return types
}

/** The error of the first reference that is out of range; only to say where it is. */
function badReference(flat: CTypes): Error {
  const { words, starts, kinds: kindsOf, endId } = flat
  for (let id = 1; id < endId; id++) {
    const start = starts[id] ?? 0
    const kind = kindsOf[id] ?? 0
    const at: number[] = []
    for (const fixed of [fixedOne[kind] ?? 0, fixedTwo[kind] ?? 0]) if (fixed !== 0) at.push(start + fixed)
    const each = eaches[kind] ?? 0
    const vlen = each === 0 ? 0 : vlenOfInfo(words[start + 1] ?? 0)
    for (let i = 0; i < vlen; i++) at.push(start + (firsts[kind] ?? 0) + i * each)
    const bad = at.find((word) => (words[word] ?? 0) >= endId)
    if (bad === undefined) continue
    const actual = String(words[bad])
    const path = `types[${id}]`
    return errors.BTF_REFERENCE({
      file: 'BTF',
      path,
      offset: bad * 4,
      expected: `an id below ${endId}`,
      actual,
    })
  }
  return cycleAt(flat, 0)
}
