import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { enumText } from './c-enum.ts'
import { cycleAt } from './c-layout.ts'
import type { CLayout } from './c-layout.ts'
import type { CNames } from './c-names.ts'
import { bitPadding } from './c-padding.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import { isNamed } from './flat-btf.ts'
import type { CTypes } from './c-types.ts'
import {
  kindArray,
  kindConst,
  kindEnum,
  kindEnum64,
  kindFloat,
  kindFuncProto,
  kindFwd,
  kindInt,
  kindPtr,
  kindRestrict,
  kindStruct,
  kindTypeTag,
  kindTypedef,
  kindUnion,
  kindVolatile,
  nextWords,
} from './kind-numbers.ts'
import type { Pen } from './pen.ts'

/** Writes C; names are string offsets. */
export interface CWriter {
  /** A declaration of `name`, which may be empty, without a semicolon: `char (*name)[16]`. */
  declare(id: number, name: number, level: number): void
  /** `struct name` or `union name`. */
  tag(id: number): void
  /** The definition of a struct or union, without a semicolon. */
  record(id: number, level: number): void
  /** The definition of an enum, without a semicolon. */
  enumeration(id: number, level: number): void
  /** A typedef, without a semicolon. */
  typedef(id: number): void
}

/** New lines with their indentation, which goes no deeper than bpftool's. */
const lines = Array.from({ length: 14 }, (_, level) => `\n${'\t'.repeat(level)}`)

export function newLine(pen: Pen, level: number): void {
  pen.text(lines[level < 13 ? level : 13] ?? '')
}

/** By kind: 1 for types that stand at the end of a declaration; those with a name are spelled by it. */
const alone = new Uint8Array(128)
for (const kind of [0, kindInt, kindFloat, kindTypedef, kindStruct, kindUnion, kindEnum, kindEnum64, kindFwd])
  alone[kind] = 1

const pointers = ['', ' *', ' **', ' ***', ' ****']

export function cWriter(flat: CTypes, pen: Pen, steps: CSteps, names: CNames, layout: CLayout): CWriter {
  const { words, starts, kinds, strings } = flat
  const pointerBits = layout.pointerSize * 8
  /** Types of the declarations being written, outermost first; nested ones share the stack. */
  const chain: number[] = []
  let top = 0
  let depth = 0

  /** What tells the second of a name apart, and any after it. */
  const suffix = (count: number): void => {
    if (count < 2) return
    pen.text('___')
    pen.number(count)
  }

  /** The name of a struct, union, enum or forward declaration, where it has one. */
  const tagName = (id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    if (offset === 0) return
    const known = names.known(id)
    if (known === 0) suffix(names.tag(id, pen.hashedName(offset)))
    else {
      pen.name(offset)
      suffix(known)
    }
  }

  const typedefName = (id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    const known = names.known(id)
    if (known === 0) suffix(names.typedef(id, pen.hashedName(offset)))
    else {
      pen.name(offset)
      suffix(known)
    }
  }

  /** The name that is declared: that of the typedef `owner`, or of something that needs not be unique. */
  const declaredName = (name: number, owner: number): void => {
    if (owner === 0) pen.name(name)
    else typedefName(owner)
  }

  const tag = (id: number): void => {
    const kind = kinds[id]
    const union =
      kind === kindUnion || (kind === kindFwd && kindFlagOfInfo(words[(starts[id] ?? 0) + 1] ?? 0))
    pen.text(union ? 'union ' : 'struct ')
    tagName(id)
  }

  /** Qualifiers that stand, in the chain, around what is about to be written; in C they come first. */
  const qualifiers = (bottom: number): void => {
    for (; top > bottom; top--) {
      const kind = kinds[chain[top - 1] ?? 0]
      if (kind === kindConst) pen.text('const ')
      else if (kind === kindVolatile) pen.text('volatile ')
      else if (kind === kindRestrict) pen.text('restrict ')
      else break
    }
  }

  /** Skips qualifiers of an array or function, which mean nothing: compilers make them for quirks of their own. */
  const dropQualifiers = (bottom: number): void => {
    for (; top > bottom; top--) {
      const kind = kinds[chain[top - 1] ?? 0]
      if (kind !== kindConst && kind !== kindVolatile && kind !== kindRestrict && kind !== kindTypeTag) break
    }
  }

  const declare = (id: number, name: number, level: number): void => declareAs(id, name, 0, level)

  const declareAs = (id: number, name: number, owner: number, level: number): void => {
    // Nearly all declarations are of a name, or of pointers to one.
    let stars = 0
    let end = id
    for (; kinds[end] === kindPtr && stars < 4; stars++) end = words[(starts[end] ?? 0) + 2] ?? 0
    const constant = kinds[end] === kindConst
    if (constant) end = words[(starts[end] ?? 0) + 2] ?? 0
    const kind = kinds[end] ?? 0
    const start = starts[end] ?? 0
    if (alone[kind] === 1 && (words[start] !== 0 || end === 0)) {
      if (constant) pen.text('const ')
      if (kind === kindInt) pen.name(words[start] ?? 0)
      else if (kind === kindTypedef) typedefName(end)
      else if (kind === kindStruct) {
        pen.text('struct ')
        tagName(end)
      } else base(kind, end)
      const named = name !== 0 && strings[name] !== 0
      if (stars > 0) pen.text(pointers[stars] ?? '')
      else if (named) pen.text(' ')
      if (named) declaredName(name, owner)
      return
    }
    declareChain(id, name, owner, level)
  }

  /** What stands alone and has a name, or is void. */
  const base = (kind: number, id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    switch (kind) {
      case 0:
        pen.text('void')
        break
      case kindInt:
      case kindFloat:
        pen.name(offset)
        break
      case kindTypedef:
        typedefName(id)
        break
      case kindEnum:
      case kindEnum64:
        pen.text('enum ')
        tagName(id)
        break
      case kindStruct:
      case kindUnion:
      case kindFwd:
        tag(id)
        break
      default: {
        const type = formatType(flat.btf, id)
        throw errors.BTF_LAYOUT({
          file: 'BTF',
          id,
          type,
          expected: 'a type that C can declare',
          actual: type,
        })
      }
    }
  }

  const declareChain = (id: number, name: number, owner: number, level: number): void => {
    if (++depth > limits.declaredDepth) throw cycleAt(flat, id)
    const bottom = top
    for (let at = id; ;) {
      chain[top++] = at
      const kind = kinds[at] ?? 0
      const next = kind === kindFuncProto ? 2 : (nextWords[kind] ?? 0)
      if (next === 0) break
      at = words[(starts[at] ?? 0) + next] ?? 0
      if (top - bottom > flat.endId) throw cycleAt(flat, id)
    }
    steps.left -= top - bottom
    if (steps.left < 0) throw tooManySteps()
    writeChain(bottom, name, owner, level)
    top = bottom
    depth--
  }

  /**
   * Writes a chain from its innermost type out. What C writes after the name (bounds of arrays, parameters) waits in
   * `after` until the rest of the chain and the name are written.
   */
  const writeChain = (bottom: number, name: number, owner: number, level: number): void => {
    const hasName = name !== 0 && strings[name] !== 0
    const innermost = chain[--top] ?? 0
    let afterPointer = false
    let done = false
    let after: number[] | undefined
    qualifiers(bottom)
    const innerKind = kinds[innermost] ?? 0
    const anonymous = innermost !== 0 && words[starts[innermost] ?? 0] === 0
    if (anonymous && (innerKind === kindStruct || innerKind === kindUnion)) record(innermost, level)
    else if (anonymous && (innerKind === kindEnum || innerKind === kindEnum64)) enumeration(innermost, level)
    else base(innerKind, innermost)
    while (top > bottom) {
      const id = chain[--top] ?? 0
      const kind = kinds[id] ?? 0
      if (kind === kindPtr) {
        pen.text(afterPointer ? '*' : ' *')
        afterPointer = true
        continue
      }
      if (kind === kindArray || kind === kindFuncProto) {
        dropQualifiers(bottom)
        if (top === bottom) {
          if (hasName) {
            if (!afterPointer) pen.text(' ')
            declaredName(name, owner)
          }
          behind(id, level)
          done = true
          break
        }
        const array = kind === kindArray
        const bare = array && kinds[chain[top - 1] ?? 0] === kindArray
        if (!array || (hasName && !afterPointer)) pen.text(' ')
        if (!bare) pen.text('(')
        ;(after ??= []).push(id, bare ? 0 : 1)
        afterPointer = true
        continue
      }
      if (kind === kindConst) pen.text(' const')
      else if (kind === kindVolatile) pen.text(' volatile')
      else if (kind === kindRestrict) pen.text(' restrict')
      else {
        qualifiers(bottom)
        pen.text(' __attribute__((btf_type_tag("')
        pen.name(words[starts[id] ?? 0] ?? 0)
        pen.text('")))')
      }
      afterPointer = false
    }
    if (!done && hasName) {
      if (!afterPointer) pen.text(' ')
      declaredName(name, owner)
    }
    if (after === undefined) return
    for (let i = after.length - 2; i >= 0; i -= 2) {
      if (after[i + 1] === 1) pen.text(')')
      behind(after[i] ?? 0, level)
    }
  }

  /** Bounds of an array, or parameters of a function. */
  const behind = (id: number, level: number): void => {
    const start = starts[id] ?? 0
    if (kinds[id] === kindArray) {
      pen.text('[')
      pen.number(words[start + 5] ?? 0)
      pen.text(']')
      return
    }
    const vlen = vlenOfInfo(words[start + 1] ?? 0)
    if (vlen === 0 || (vlen === 1 && words[start + 4] === 0)) {
      pen.text('(void)')
      return
    }
    pen.text('(')
    for (let i = 0, at = start + 3; i < vlen; i++, at += 2) {
      if (i > 0) pen.text(', ')
      const type = words[at + 1] ?? 0
      if (i === vlen - 1 && type === 0) pen.text('...')
      else declare(type, words[at] ?? 0, level)
    }
    pen.check()
    pen.text(')')
  }

  const record = (id: number, level: number): void => {
    const start = starts[id] ?? 0
    const info = words[start + 1] ?? 0
    const vlen = vlenOfInfo(info)
    const kindFlag = kindFlagOfInfo(info)
    const struct = kinds[id] === kindStruct
    const sizeBits = (words[start + 2] ?? 0) * 8
    const align = layout.alignOf(id)
    const packed = struct && layout.isPacked(id)
    tag(id)
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
      declare(type, words[at] ?? 0, level + 1)
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

  const enumerator = (offset: number): void => {
    suffix(names.enumerator(offset, pen.hashedName(offset)))
  }

  const enumeration = (id: number, level: number): void => {
    pen.text(words[starts[id] ?? 0] === 0 ? 'enum' : 'enum ')
    tagName(id)
    enumText(flat, pen, layout.pointerSize, id, level, enumerator)
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
    declareAs(type, name, id, 0)
  }

  return { declare, tag, record, enumeration, typedef }
}
