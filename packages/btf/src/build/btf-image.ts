import type { Btf } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { BtfHeader, btfMagic, readHeader } from '../header.ts'
import { limits } from '../limits.ts'
import { stringBytes } from '../string-bytes.ts'
import { indexTypes } from '../type-index.ts'
import { stringTable } from './string-table.ts'
import type { StringTable } from './string-table.ts'
import { eachId, eachString } from './type-fields.ts'

/** All types and strings of a BTF and its bases, in one piece and checked, to be changed and written again. */
export interface BtfImage {
  readonly file: string
  readonly littleEndian: boolean
  /** First id that is not of a base. */
  readonly firstId: number
  readonly endId: number
  /** The types in the host's byte order, the bases' first; a copy. */
  readonly words: Uint32Array
  /** By id: index of the type's first word; one more row ends the last. */
  readonly starts: Uint32Array
  /** The strings, the bases' first: an offset is an index. */
  readonly strings: Uint8Array
  /** First offset that is not of a base. */
  readonly firstString: number
}

/** Copies types and strings, and checks every id and string offset of the own types. */
export function openImage(btf: Btf, file: string): BtfImage {
  const chain: Btf[] = []
  for (let one: Btf | undefined = btf; one !== undefined; one = one.base) chain.unshift(one)
  const parts = chain.map((part) => {
    const header = readHeader(part.bytes, file, part.base !== undefined)
    const strings = stringBytes(part.bytes, header, part.base)
    const index = indexTypes(part.bytes, header, file, part.firstId)
    return { part, header, strings: strings.bytes, index }
  })
  const words = new Uint32Array(parts.reduce((sum, { index }) => sum + index.words.length, 0))
  const strings = new Uint8Array(btf.endString)
  const starts = new Uint32Array(btf.endId + 1)
  let at = 0
  for (const { part, strings: own, index } of parts) {
    words.set(index.words, at)
    strings.set(own, part.endString - own.length)
    for (let i = 0; i < index.count; i++) starts[part.firstId + i] = at + (index.starts[i] ?? 0)
    at += index.words.length
  }
  starts[btf.endId] = at
  const last = parts[parts.length - 1]
  const image: BtfImage = {
    file,
    littleEndian: btf.littleEndian,
    firstId: btf.firstId,
    endId: btf.endId,
    words,
    starts,
    strings,
    firstString: btf.endString - (last?.strings.length ?? 0),
  }
  checkImage(image, last?.header.typesAt ?? 0)
  return image
}

function checkImage(image: BtfImage, typesAt: number): void {
  const { file, words, starts, strings, endId } = image
  const firstWord = starts[image.firstId] ?? 0
  const where = (id: number, word: number) => ({
    file,
    path: `types[${id}] word ${word - (starts[id] ?? 0)}`,
    offset: typesAt + (word - firstWord) * 4,
    actual: String(words[word]),
  })
  for (let id = 1; id < endId; id++) {
    const start = starts[id] ?? 0
    eachString(words, start, (word) => {
      if ((words[word] ?? 0) < strings.length || words[word] === 0) return
      throw errors.BTF_STRING({ ...where(id, word), expected: `a string offset below ${strings.length}` })
    })
    eachId(words, start, (word) => {
      if ((words[word] ?? 0) < endId) return
      throw errors.BTF_REFERENCE({ ...where(id, word), expected: `an id below ${endId}` })
    })
  }
}

/**
 * A function that moves string offsets of an image into a table, each string once. The strings moved add up to no more
 * than a multiple of the section, so that tails of one long string cannot be multiplied.
 */
export function stringMover(image: BtfImage, table: StringTable): (offset: number) => number {
  const { strings, file } = image
  /** New offset plus one, by old one; 0 is not yet known. */
  const known = new Uint32Array(strings.length)
  let budget = Math.max(65_536, strings.length * limits.stringOverlap)
  return (offset) => {
    if (offset === 0) return 0
    const before = known[offset] ?? 0
    if (before !== 0) return before - 1
    const size = table.end
    const moved = table.add(strings, offset)
    budget -= table.end - size
    if (budget < 0) {
      throw errors.BTF_STRING({
        file,
        path: `strings[${offset}]`,
        offset,
        expected: `strings that overlap at most ${limits.stringOverlap} times`,
        actual: 'more',
      })
    }
    known[offset] = moved + 1
    return moved
  }
}

/** The strings of a BTF and its bases as a table that finds but is not added to; undefined for no BTF. */
export function baseStrings(base: Btf | undefined): StringTable | undefined {
  if (base === undefined) return undefined
  const header = readHeader(base.bytes, 'base', base.base !== undefined)
  return stringTable(stringBytes(base.bytes, header, base.base).bytes, baseStrings(base.base))
}

/** Writes header, types and strings. */
export function encodeImage(
  words: Uint32Array,
  strings: Uint8Array,
  littleEndian: boolean,
): Uint8Array<ArrayBuffer> {
  const typesSize = words.length * 4
  const bytes = new Uint8Array(BtfHeader.size + typesSize + strings.length)
  const view = new DataView(bytes.buffer)
  const header = {
    magic: btfMagic,
    version: 1,
    flags: 0,
    hdr_len: BtfHeader.size,
    type_off: 0,
    type_len: typesSize,
    str_off: typesSize,
    str_len: strings.length,
  }
  BtfHeader.write(view, 0, header, littleEndian)
  for (let i = 0; i < words.length; i++) view.setUint32(BtfHeader.size + i * 4, words[i] ?? 0, littleEndian)
  bytes.set(strings, BtfHeader.size + typesSize)
  return bytes
}
