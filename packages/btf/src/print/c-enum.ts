import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import type { CSpeller } from './c-spell.ts'
import type { CTypes } from './c-types.ts'
import { newLine } from './pen.ts'
import type { Pen } from './pen.ts'
import { wideText } from './raw-words.ts'

/** Writes the definitions of enums, each value with a name of its own; a function for each of their kinds. */
export interface EnumWriter {
  readonly enumeration: (id: number, level: number) => void
  readonly enumeration64: (id: number, level: number) => void
}

export function enumWriter(flat: CTypes, pen: Pen, pointerSize: number, spell: CSpeller): EnumWriter {
  const { words, starts } = flat

  /** Where the values are; nothing is written where there is none. */
  const begin = (id: number): number => {
    const start = starts[id] ?? 0
    pen.text(words[start] === 0 ? 'enum' : 'enum ')
    spell.name(id)
    if (vlenOfInfo(words[start + 1] ?? 0) > 0) pen.text(' {')
    return start + 3
  }
  /** By size: the attribute that gives it to an enum whose values do not. */
  const attributes = Array.from({ length: 9 }, () => '')
  attributes[1] = ' __attribute__((mode(byte)))'
  attributes[2] = ' __attribute__((mode(HI)))'
  if (pointerSize === 8) attributes[8] = ' __attribute__((mode(word)))'
  const end = (id: number, level: number, wide: boolean): void => {
    const start = starts[id] ?? 0
    if (vlenOfInfo(words[start + 1] ?? 0) === 0) return
    newLine(pen, level)
    pen.text('}')
    const size = words[start + 2] ?? 0
    // Values that need more than 32 bits make an enum of 64 by themselves.
    pen.text(attributes[wide && size === 8 ? 0 : size] ?? '')
  }

  return {
    enumeration(id, level) {
      const first = begin(id)
      const info = words[first - 2] ?? 0
      const signed = kindFlagOfInfo(info)
      for (let at = first, last = at + vlenOfInfo(info) * 2; at < last; at += 2) {
        newLine(pen, level + 1)
        spell.enumerator(words[at] ?? 0)
        pen.text(' = ')
        const value = words[at + 1] ?? 0
        pen.number(signed ? value | 0 : value)
        pen.text(',')
      }
      end(id, level, false)
    },
    enumeration64(id, level) {
      const first = begin(id)
      const info = words[first - 2] ?? 0
      const signed = kindFlagOfInfo(info)
      let high = 0
      for (let at = first, last = at + vlenOfInfo(info) * 3; at < last; at += 3) {
        newLine(pen, level + 1)
        spell.enumerator(words[at] ?? 0)
        const top = words[at + 2] ?? 0
        high |= top
        pen.text(` = ${wideText(words[at + 1] ?? 0, top, signed)}${signed ? 'LL,' : 'ULL,'}`)
      }
      end(id, level, high !== 0)
    },
  }
}
