import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import { cDeclare } from './c-declare.ts'
import { enumText } from './c-enum.ts'
import type { CLayout } from './c-layout.ts'
import type { CNames } from './c-names.ts'
import { bitPadding } from './c-padding.ts'
import { cSpeller } from './c-spell.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import { isNamed } from './flat-btf.ts'
import { kindStruct, kindUnion } from './kind-numbers.ts'
import { newLine } from './pen.ts'
import type { Pen } from './pen.ts'

/** Writes C; names are string offsets. */
export interface CWriter {
  /** A declaration of `name`, which may be empty, without a semicolon: `char (*name)[16]`. */
  declare(id: number, name: number): void
  /** `struct name` or `union name`. */
  tag(id: number): void
  /** The definition of a struct or union, without a semicolon. */
  record(id: number): void
  /** The definition of an enum, without a semicolon. */
  enumeration(id: number): void
  /** A typedef, without a semicolon. */
  typedef(id: number): void
}

export function cWriter(flat: CTypes, pen: Pen, steps: CSteps, names: CNames, layout: CLayout): CWriter {
  const { words, starts, kinds, strings } = flat
  const pointerBits = layout.pointerSize * 8
  const spell = cSpeller(flat, pen, names)

  const record = (id: number, level: number): void => {
    const start = starts[id] ?? 0
    const info = words[start + 1] ?? 0
    const vlen = vlenOfInfo(info)
    const kindFlag = kindFlagOfInfo(info)
    const struct = kinds[id] === kindStruct
    const sizeBits = (words[start + 2] ?? 0) * 8
    const align = layout.alignOf(id)
    const packed = struct && layout.packed[id] === 1
    spell.tag(id)
    pen.text(words[start] === 0 ? '{' : ' {')
    let offset = 0
    let afterBitfield = false
    for (let at = start + 3, end = at + vlen * 3; at < end; at += 3) {
      const type = words[at + 1] ?? 0
      const place = words[at + 2] ?? 0
      let bits = 0
      let from = place
      if (kindFlag) {
        bits = place >>> 24
        from = place & 0xffffff
      } else {
        const old = layout.oldBitfield(type)
        bits = old >>> 8
        from += old & 0xff
      }
      if (offset < from) {
        const memberAlign = packed ? 1 : layout.alignOf(type)
        bitPadding(pen, pointerBits, offset, from, memberAlign, afterBitfield && bits !== 0, level + 1)
      }
      newLine(pen, level + 1)
      declare(type, words[at] ?? 0, 0, level + 1)
      afterBitfield = bits !== 0
      if (afterBitfield) {
        offset = from + bits
        pen.text(': ')
        pen.number(bits)
      } else offset = from + layout.sizeBitsOf(type)
      pen.text(';')
      pen.check()
    }
    if (struct && offset < sizeBits) bitPadding(pen, pointerBits, offset, sizeBits, align, false, level + 1)
    if (vlen > 0 || sizeBits > 0) newLine(pen, level)
    pen.text(packed ? '} __attribute__((packed))' : '}')
  }

  const enumeration = (id: number, level: number): void => {
    pen.text(words[starts[id] ?? 0] === 0 ? 'enum' : 'enum ')
    spell.tagName(id)
    enumText(flat, pen, layout.pointerSize, id, level, spell)
  }

  const typedef = (id: number): void => {
    const start = starts[id] ?? 0
    const name = words[start] ?? 0
    const type = words[start + 2] ?? 0
    // Old versions of gcc describe it as void, which no compiler takes.
    if (type === 0 && isNamed(strings, name, '__gnuc_va_list')) {
      pen.text('typedef __builtin_va_list __gnuc_va_list')
      return
    }
    pen.text('typedef ')
    declare(type, name, id, 0)
  }

  const declare = cDeclare(flat, pen, steps, spell, (id, level) => {
    const kind = kinds[id]
    if (kind === kindStruct || kind === kindUnion) record(id, level)
    else enumeration(id, level)
  })
  return {
    declare: (id, name) => {
      declare(id, name, 0, 0)
    },
    tag: (id) => {
      spell.tag(id)
    },
    record: (id) => {
      record(id, 0)
    },
    enumeration: (id) => {
      enumeration(id, 0)
    },
    typedef,
  }
}
