import { errors } from './errors.ts'
import type { BtfSections } from './header.ts'
import { kinds } from './kinds.ts'

/** The type section as words of the host's byte order, and where in it each type starts. */
export interface TypeIndex {
  readonly words: Uint32Array
  /** By id less the first own id: index in `words`. */
  readonly starts: Uint32Array
  /** By id less the first own id: number of the kind. */
  readonly kinds: Uint8Array
  /** Ids of the structs less the first own id, ascending: they are looked up by name more than all others. */
  readonly structs: Uint32Array
  readonly count: number
}

const hostLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** Number of the kind `struct`. */
export const structKind = kinds.value('struct')

/** Words of a type of unknown kind: more than there are, so that it ends the walk. */
const unknown = 1 << 30
/** Words of a type without its elements, and of each element, by kind. */
const fixed = new Uint32Array(128).fill(unknown)
const eaches = new Uint8Array(128)
for (const kind of kinds.rows) {
  if (kind.value === 0) continue
  fixed[kind.value] = 3 + kind.tail / 4
  eaches[kind.value] = kind.each / 4
}

/**
 * The type section as words: a view where it is aligned and in the host's byte order (the kernel's BTF is),
 * else a copy, so that there is one fast way of reading.
 */
function wordsOf(bytes: Uint8Array, sections: BtfSections): Uint32Array {
  const at = bytes.byteOffset + sections.typesAt
  const count = sections.typesSize >>> 2
  if (at % 4 === 0 && sections.littleEndian === hostLittleEndian)
    return new Uint32Array(bytes.buffer, at, count)
  const words = new Uint32Array(count)
  const view = new DataView(bytes.buffer, at, count * 4)
  for (let i = 0; i < count; i++) words[i] = view.getUint32(i * 4, sections.littleEndian)
  return words
}

/**
 * Notes start and kind of each type up to one that leaves the section, and which are structs; says how many of both there are.
 *
 * A function of its own, and no more than this: a fresh process interprets it until it is compiled, and how soon that
 * is depends on its length. Signed words are what an interpreter handles best.
 */
function walk(
  words: Int32Array,
  starts: Uint32Array,
  kindsOf: Uint8Array,
  structs: Uint32Array,
): readonly [count: number, structs: number] {
  const last = words.length - 3
  let count = 0
  let found = 0
  for (let at = 0; at <= last;) {
    const info = words[at + 1] ?? 0
    const kind = (info >> 24) & 0x7f
    if (kind === structKind) structs[found++] = count
    starts[count] = at
    kindsOf[count++] = kind
    at += (fixed[kind] ?? 0) + (eaches[kind] ?? 0) * (info & 0xffffff)
  }
  return [count, found]
}

/** One pass over the type section: finds where each type starts, and checks that it ends within the section. */
export function indexTypes(
  bytes: Uint8Array,
  sections: BtfSections,
  file: string,
  firstId: number,
): TypeIndex {
  const words = wordsOf(bytes, sections)
  // Untouched pages of a large array cost nothing, so all are made for the largest possible number of types.
  const most = Math.floor(words.length / 3)
  const starts = new Uint32Array(most)
  const kindsOf = new Uint8Array(most)
  const structs = new Uint32Array(most)
  const signed = new Int32Array(words.buffer, words.byteOffset, words.length)
  const [count, found] = walk(signed, starts, kindsOf, structs)

  const size = sections.typesSize
  let end = 0
  if (count > 0) {
    const start = starts[count - 1] ?? 0
    const id = firstId + count - 1
    const kind = kindsOf[count - 1] ?? 0
    if (fixed[kind] === unknown) {
      const where = { path: `types[${id}].info`, offset: sections.typesAt + start * 4 + 4 }
      throw errors.BTF_KIND({ file, ...where, expected: 'a kind from 1 to 19', actual: kinds.format(kind) })
    }
    const length = (fixed[kind] ?? 0) + (eaches[kind] ?? 0) * ((words[start + 1] ?? 0) & 0xffffff)
    end = start + length
    if (end > words.length) {
      const where = { path: `types[${id}]`, offset: sections.typesAt + start * 4 }
      const actual = `${size - start * 4} bytes`
      throw errors.BTF_TRUNCATED({ file, ...where, expected: `${length * 4} bytes`, actual })
    }
  }
  if (end * 4 !== size) {
    const where = { path: `types[${firstId + count}]`, offset: sections.typesAt + end * 4 }
    throw errors.BTF_TRUNCATED({ file, ...where, expected: '12 bytes', actual: `${size - end * 4} bytes` })
  }
  return { words, starts, kinds: kindsOf, structs: structs.subarray(0, found), count }
}
