import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import type { CSpeller } from './c-spell.ts'
import type { CTypes } from './c-types.ts'
import { kindEnum64 } from './kind-numbers.ts'
import { newLine } from './pen.ts'
import type { Pen } from './pen.ts'
import { wideText } from './raw-words.ts'

/**
 * Writes the values of an enum, each with a name of its own, and the attribute that gives the enum its size
 * where its values do not.
 */
export function enumText(
  flat: CTypes,
  pen: Pen,
  pointerSize: number,
  id: number,
  level: number,
  spell: CSpeller,
): void {
  const { words } = flat
  const start = flat.starts[id] ?? 0
  const info = words[start + 1] ?? 0
  const vlen = vlenOfInfo(info)
  const signed = kindFlagOfInfo(info)
  const size = words[start + 2] ?? 0
  if (vlen === 0) return
  pen.text(' {')
  const wide = flat.kinds[id] === kindEnum64
  const each = wide ? 3 : 2
  let high = 0
  for (let at = start + 3, end = at + vlen * each; at < end; at += each) {
    const low = words[at + 1] ?? 0
    newLine(pen, level + 1)
    spell.enumerator(words[at] ?? 0)
    pen.text(' = ')
    if (wide) {
      const top = words[at + 2] ?? 0
      high |= top
      pen.text(wideText(low, top, signed))
      pen.text(signed ? 'LL' : 'ULL')
    } else pen.number(signed ? low | 0 : low)
    pen.text(',')
  }
  pen.check()
  newLine(pen, level)
  pen.text('}')
  if (size === 1) pen.text(' __attribute__((mode(byte)))')
  else if (size === 2) pen.text(' __attribute__((mode(HI)))')
  // Values that need more than 32 bits make an enum of 64 by themselves.
  else if (size === 8 && pointerSize === 8 && high === 0) pen.text(' __attribute__((mode(word)))')
}
