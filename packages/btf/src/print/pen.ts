import { errors } from '../errors.ts'
import { limits } from '../limits.ts'

/** Bytes after which a printer hands a chunk out. */
export const chunkSize = 1 << 16

/**
 * Writes text as bytes, names straight from the string section: a kernel's header is made of half a million pieces, and
 * pieces put together as strings take twice the time, most of it to collect the garbage. The pieces wait in a list:
 * were each written where it is asked for, the engine would compile what writes it into every place that asks.
 */
export interface Pen {
  /** Writes ASCII. */
  text(text: string): void
  /** Writes the string at an offset; throws `BTF_STRING` where it is out of range. */
  name(offset: number): void
  /** As `name`, with the characters escaped that JSON needs escaped. */
  jsonName(offset: number): void
  /** Writes an integer of up to 32 bits in decimal digits. */
  number(value: number): void
  /** Bytes that have not been taken, as far as they are known. */
  waiting(): number
  /** Hands out what has been written. Throws `BTF_PRINT` when all that has been is beyond the budget. */
  take(): string
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const zero = 0x30
const quote = 0x22
const backslash = 0x5c

/** Whether JSON escapes a byte; the NUL that ends a name is one, too. */
const isSpecial = (byte: number): boolean => byte < 0x20 || byte === quote || byte === backslash

/** Pieces that wait before they are written. */
const pieceCount = 4096

/**
 * A pen that may write 64 times the bytes of the types, or 4 MiB: names are shared, so text can be made without end.
 * All but `waiting` throw `BTF_PRINT` for what is more.
 */
export function makePen(strings: Uint8Array, typesSize: number): Pen {
  const budget = Math.max(limits.printedLeast, typesSize * limits.printedTimes)
  let left = budget
  // Small at first: the text of one type needs no more.
  let bytes = new Uint8Array(1 << 12)
  let at = 0
  /** Texts, offsets of names, and numbers, each as the one below zero that is as far from -1. */
  const pieces: (string | number)[] = []
  let count = 0

  const grow = (): Uint8Array<ArrayBuffer> => {
    const more = new Uint8Array(bytes.length * 2)
    more.set(bytes)
    bytes = more
    return more
  }
  const fail = (offset: number): Error =>
    errors.BTF_STRING({
      file: 'BTF',
      path: 'strings',
      offset,
      expected: `a string offset below ${strings.length}`,
      actual: String(offset),
    })

  const writePieces = (): void => {
    for (let i = 0; i < count; i++) {
      const piece = pieces[i] ?? ''
      if (typeof piece === 'string') writeText(piece)
      else if (piece >= 0) writeName(piece)
      else writeNumber(-1 - piece)
      if (at > left)
        throw errors.BTF_PRINT({ file: 'BTF', what: `its text would be more than ${budget} bytes` })
    }
    count = 0
  }
  const writeText = (text: string): void => {
    const { length } = text
    while (at + length > bytes.length) grow()
    const to = bytes
    let end = at
    for (let i = 0; i < length; i++) to[end++] = text.charCodeAt(i)
    at = end
  }
  const writeName = (offset: number): void => {
    let to = bytes
    let end = at
    for (let from = offset; ; from++) {
      const byte = strings[from]
      if (byte === 0 || byte === undefined) break
      if (end === to.length) to = grow()
      to[end++] = byte
    }
    at = end
  }
  const writeNumber = (value: number): void => {
    if (at + 10 > bytes.length) grow()
    const to = bytes
    if (value < 10) {
      to[at++] = zero + value
      return
    }
    let rest = value
    let end = at + digitsOf(rest)
    at = end
    // Divided by multiplying, small numbers stay small integers.
    for (; rest < 16_384;) {
      const next = (rest * 6554) >>> 16
      to[--end] = zero + (rest - next * 10)
      rest = next
      if (rest === 0) return
    }
    do {
      const next = (rest / 10) >>> 0
      to[--end] = zero + (rest - next * 10)
      rest = next
    } while (rest > 0)
  }

  const add = (piece: string | number): void => {
    if (count === pieceCount) writePieces()
    pieces[count++] = piece
  }
  return {
    text: add,
    name(offset) {
      if (offset >= strings.length) throw fail(offset)
      add(offset)
    },
    jsonName(offset) {
      if (offset >= strings.length) throw fail(offset)
      let from = offset
      while (!isSpecial(strings[from] ?? 0)) from++
      if ((strings[from] ?? 0) === 0) {
        add(offset)
        return
      }
      // Not one that waits: names are shared, and thousands of long ones would be too much.
      writePieces()
      let text = ''
      for (from = offset; (strings[from] ?? 0) !== 0; from++) {
        const char = String.fromCharCode(strings[from] ?? 0)
        text += isSpecial(strings[from] ?? 0) ? JSON.stringify(char).slice(1, -1) : char
      }
      writeText(text)
    },
    number(value) {
      if (value < 0) add('-')
      add(-1 - Math.abs(value))
    },
    waiting: () => at,
    take() {
      writePieces()
      const text = decoder.decode(bytes.subarray(0, at))
      left -= at
      at = 0
      return text
    },
  }
}

function digitsOf(value: number): number {
  if (value < 100) return value < 10 ? 1 : 2
  let digits = 2
  for (let hundred = 100; hundred <= value; hundred *= 10) digits++
  return digits
}

/** New lines with their indentation, which goes no deeper than bpftool's. */
const lines = Array.from({ length: 14 }, (_, level) => `\n${'\t'.repeat(level)}`)

/** Begins a line of C. */
export function newLine(pen: Pen, level: number): void {
  pen.text(lines[level < 13 ? level : 13] ?? '')
}
