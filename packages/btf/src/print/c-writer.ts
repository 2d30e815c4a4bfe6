import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import { cDeclare } from './c-declare.ts'
import { enumWriter } from './c-enum.ts'
import type { CLayout } from './c-layout.ts'
import type { CNames } from './c-names.ts'
import { bitPadding } from './c-padding.ts'
import { cSpeller } from './c-spell.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import { isNamed } from './flat-btf.ts'
import { kindEnum, kindEnum64, kindStruct, kindTypedef, kindUnion } from './kind-numbers.ts'
import { newLine } from './pen.ts'
import type { Pen } from './pen.ts'

/** Writes C; names are string offsets. */
export interface CWriter {
  /** A declaration of `name`, which may be empty, without a semicolon: `char (*name)[16]`. */
  declare(id: number, name: number): void
  /** `struct name`, `union name` or `enum name`. */
  tag(id: number): void
  /** The definition of a struct, union, enum or typedef, without a semicolon. */
  define(id: number): void
}

export function cWriter(flat: CTypes, pen: Pen, steps: CSteps, names: CNames, layout: CLayout): CWriter {
  const { words, starts, kinds, strings } = flat
  const pointerBits = layout.pointerSize * 8
  const spell = cSpeller(flat, pen, names)
  const { enumeration, enumeration64 } = enumWriter(flat, pen, layout.pointerSize, spell)

  const record = (id: number, level: number): void => {
    const start = starts[id] ?? 0
    const info = words[start + 1] ?? 0
    const vlen = vlenOfInfo(info)
    const kindFlag = kindFlagOfInfo(info)
    const struct = kinds[id] === kindStruct
    const sizeBits = (words[start + 2] ?? 0) * 8
    const align = layout.alignOf(id)
    const packed = struct && layout.packed[id] === 1
    spell.alone[kinds[id] ?? 0]?.(id)
    pen.text(words[start] === 0 ? '{' : ' {')
    let offset = 0
    let afterBitfield = false
    for (let at = start + 3, end = at + vlen * 3; ; at += 3) {
      const type = words[at + 1] ?? 0
      const last = at === end
      let bits = 0
      let from = last ? sizeBits : (words[at + 2] ?? 0)
      if (last) {
        if (!struct) break
      } else if (kindFlag) {
        bits = from >>> 24
        from &= 0xffffff
      } else {
        const old = layout.oldBitfield(type)
        bits = old >>> 8
        from += old & 0xff
      }
      if (offset < from) {
        const nextAlign = last ? align : packed ? 1 : layout.alignOf(type)
        bitPadding(pen, pointerBits, offset, from, nextAlign, afterBitfield && bits !== 0, level + 1)
      }
      if (last) break
      newLine(pen, level + 1)
      declare(type, words[at] ?? 0, 0, level + 1)
      afterBitfield = bits !== 0
      if (afterBitfield) {
        offset = from + bits
        pen.text(': ')
        pen.number(bits)
      } else offset = from + layout.sizeBitsOf(type)
      pen.text(';')
    }
    if (vlen > 0 || sizeBits > 0) newLine(pen, level)
    pen.text(packed ? '} __attribute__((packed))' : '}')
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

  const definitions: ((id: number, level: number) => void)[] = []
  definitions[kindStruct] = record
  definitions[kindUnion] = record
  definitions[kindEnum] = enumeration
  definitions[kindEnum64] = enumeration64
  definitions[kindTypedef] = typedef
  const declare = cDeclare(flat, pen, steps, spell, definitions)
  return {
    declare: (id, name) => {
      declare(id, name, 0, 0)
    },
    tag: (id) => {
      spell.alone[kinds[id] ?? 0]?.(id)
    },
    define: (id) => {
      definitions[kinds[id] ?? 0]?.(id, 0)
    },
  }
}
