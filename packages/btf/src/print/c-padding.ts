import { newLine } from './pen.ts'
import type { Pen } from './pen.ts'

const roundUp = (value: number, to: number): number => (to === 0 ? value : Math.ceil(value / to) * to)

/**
 * Writes unnamed bitfields that fill the gap from bit `from` to bit `to`, where the compiler alone would not leave it:
 * `long: 0` before a member that is aligned more strictly than its type, and whole ints and a rest for longer gaps
 * (`btf_dump_emit_bit_padding` of libbpf). `align` is what the next member has by its type; `between` says that
 * bitfields are on both sides.
 */
export function bitPadding(
  pen: Pen,
  pointerBits: number,
  from: number,
  to: number,
  align: number,
  between: boolean,
  level: number,
): void {
  // The largest int that ends, aligned, before the gap does.
  let unit = pointerBits
  if (roundUp(from, unit) > to) unit = 32
  if (roundUp(from, unit) > to) unit = 16
  if (roundUp(from, unit) > to) unit = 8
  let at = from
  const aligned = roundUp(from, unit)
  if (aligned > from && aligned <= to) {
    const natural = aligned === to && roundUp(from, align * 8) === aligned
    // A filler that would fit into the gap before the boundary would be put there.
    const swallowed = aligned !== to && to - aligned <= aligned - from
    if (between || (aligned === to && !natural) || swallowed) {
      filler(pen, level, pointerBits, unit, between ? aligned - from : 0)
    }
    at = aligned
  }
  while (at < to) {
    const bits = Math.min(unit, to - at)
    filler(pen, level, pointerBits, bits, bits)
    at += bits
  }
}

/** Writes an unnamed bitfield of the type that has a number of bits, or a few more. */
function filler(pen: Pen, level: number, pointerBits: number, typeBits: number, bits: number): void {
  newLine(pen, level)
  // Where pointers have 32 bits, so has long, which comes first.
  if (typeBits > 32 || typeBits === pointerBits) pen.text('long: ')
  else pen.text(typeBits > 16 ? 'int: ' : typeBits > 8 ? 'short: ' : 'char: ')
  pen.number(bits)
  pen.text(';')
}
