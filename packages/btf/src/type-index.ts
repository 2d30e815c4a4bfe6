import { errors } from './errors.ts'
import type { BtfSections } from './header.ts'
import { kinds } from './kinds.ts'
import type { StringBytes } from './string-bytes.ts'

/** The type section as words of the host's byte order, where in it each type starts, and how its name begins. */
export interface TypeIndex {
  readonly words: Uint32Array
  /** By id less the first own id: index in `words`. */
  readonly starts: Uint32Array
  /** By id less the first own id: the first four bytes of the name, see `StringBytes.prefix`. */
  readonly prefixes: Uint32Array
  readonly count: number
}

const hostLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

const unknown = 255
/** Words of a type without its elements, and of each element, by kind. */
const fixed = new Uint8Array(128).fill(unknown)
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
 * One pass over the type section: finds where each type starts, checks that it ends within the section, and notes how
 * its name begins. Measured on a kernel's BTF, the note costs less here than in a pass of its own.
 */
export function indexTypes(
  bytes: Uint8Array,
  sections: BtfSections,
  strings: StringBytes,
  file: string,
  firstId: number,
): TypeIndex {
  const words = wordsOf(bytes, sections)
  const end = words.length
  // Untouched pages of a large array cost nothing, so both are made for the largest possible number of types.
  const most = Math.floor(end / 3)
  const starts = new Uint32Array(most)
  const prefixes = new Uint32Array(most)
  const { view, start: firstString } = strings
  const lastPrefix = view.byteLength - 4
  let count = 0
  let at = 0
  while (at + 3 <= end) {
    const info = words[at + 1] ?? 0
    const kind = (info >>> 24) & 0x7f
    const size = fixed[kind] ?? unknown
    if (size === unknown) {
      const where = { path: `types[${firstId + count}].info`, offset: sections.typesAt + at * 4 + 4 }
      throw errors.BTF_KIND({ file, ...where, expected: 'a kind from 1 to 19', actual: kinds.format(kind) })
    }
    starts[count] = at
    const name = words[at] ?? 0
    if (name !== 0) {
      const offset = name - firstString
      if (offset >= 0 && offset <= lastPrefix) {
        // What `strings.prefix` does, in line: zero what follows a NUL.
        const four = view.getUint32(offset, true)
        const nul = (four - 0x01010101) & ~four & 0x80808080
        prefixes[count] = nul === 0 ? four : four & (((nul & -nul) >>> 7) - 1)
      } else {
        prefixes[count] = strings.prefix(name)
      }
    }
    count++
    at += size + (eaches[kind] ?? 0) * (info & 0xffffff)
  }
  const size = sections.typesSize
  if (at * 4 !== size) {
    const over = at > end
    const id = firstId + count - (over ? 1 : 0)
    const start = over ? (starts[count - 1] ?? 0) : at
    const expected = over ? `${(at - start) * 4} bytes` : '12 bytes'
    const where = { path: `types[${id}]`, offset: sections.typesAt + start * 4 }
    throw errors.BTF_TRUNCATED({ file, ...where, expected, actual: `${size - start * 4} bytes` })
  }
  return { words, starts, prefixes, count }
}
