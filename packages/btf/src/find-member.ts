import type { BitOffset } from '@tsbpf/base'
import type { BtfMemberAt } from './btf-type.ts'
import type { TypeReader } from './decode-type.ts'
import { kindFlagOfInfo, vlenOfInfo } from './kinds.ts'
import type { StringBytes } from './string-bytes.ts'

const encoder = new TextEncoder()

/** Decodes the member at an index of the struct or union that starts at word `start`; its name may be known. */
export function memberAt(
  reader: TypeReader,
  id: number,
  start: number,
  index: number,
  known?: string,
): BtfMemberAt {
  const { words } = reader
  const at = start + 3 + index * 3
  const offset = words[at + 2] ?? 0
  const kindFlag = kindFlagOfInfo(words[start + 1] ?? 0)
  return {
    name: known ?? reader.string(id, at, 'name_off', 'members', index),
    type: reader.reference(id, at + 1, 'type', 'members', index),
    offsetBits: (kindFlag ? offset & 0xffffff : offset) as BitOffset,
    bitfieldSizeBits: kindFlag ? offset >>> 24 : 0,
    index,
  }
}

/**
 * Index of the first member with that name, at `from` or after it, of the struct or union that starts at word `start`;
 * -1 where there is none. Names are compared as bytes, the one that ends them first: nothing is decoded.
 */
export function indexOfMember(
  words: Uint32Array,
  strings: StringBytes,
  start: number,
  name: string,
  from: number,
): number {
  const { bytes, start: firstString } = strings
  const count = vlenOfInfo(words[start + 1] ?? 0)
  if (firstString > 0 || !isAscii(name)) return indexByBytes(words, strings, start, name, from)
  const { length } = name
  let at = start + 3 + from * 3
  for (let i = from; i < count; i++, at += 3) {
    const offset = words[at] ?? 0
    if (bytes[offset + length] !== 0) continue
    let same = 0
    while (same < length && bytes[offset + same] === name.charCodeAt(same)) same++
    if (same === length) return i
  }
  return -1
}

/** The same for any name, and for BTF whose strings may be its base's. */
function indexByBytes(
  words: Uint32Array,
  strings: StringBytes,
  start: number,
  name: string,
  from: number,
): number {
  const wanted = encoder.encode(name)
  const count = vlenOfInfo(words[start + 1] ?? 0)
  for (let i = from; i < count; i++) {
    if (strings.compare(words[start + 3 + i * 3] ?? 0, wanted) === 'equal') return i
  }
  return -1
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) >= 0x80) return false
  return true
}
