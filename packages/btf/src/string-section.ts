import { limits } from './limits.ts'

/** A byte order mark is part of a name like any other character. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Why a string cannot be read. */
interface StringFault {
  readonly expected: string
  readonly actual: string
}

/** Reads strings of one section, each offset once. */
export type ReadString = (offset: number) => string | StringFault

/**
 * Strings of one BTF. `start` is the offset of its first string: those below are the base's.
 * The strings read add up to no more than a multiple of the section, so that tails of one long string cannot be multiplied.
 */
export function stringSection(bytes: Uint8Array, start: number): ReadString {
  const known = new Map<number, string>()
  let budget = Math.max(65_536, bytes.length * limits.stringOverlap)
  return (offset) => {
    const before = known.get(offset)
    if (before !== undefined) return before
    const from = offset - start
    const end = from >= 0 && from < bytes.length ? bytes.indexOf(0, from) : -1
    if (end < 0) return { expected: `a string offset below ${start + bytes.length}`, actual: String(offset) }
    budget -= end - from
    if (budget < 0) {
      return { expected: `strings that overlap at most ${limits.stringOverlap} times`, actual: 'more' }
    }
    const text = decodeText(bytes, from, end)
    known.set(offset, text)
    return text
  }
}

/** Short ASCII, which names are, is faster without a decoder. */
function decodeText(bytes: Uint8Array, from: number, end: number): string {
  if (end - from > 40) return decoder.decode(bytes.subarray(from, end))
  let text = ''
  for (let i = from; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte >= 0x80) return decoder.decode(bytes.subarray(from, end))
    text += String.fromCharCode(byte)
  }
  return text
}
