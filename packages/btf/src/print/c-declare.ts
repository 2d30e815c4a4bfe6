import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { cycleAt } from './c-layout.ts'
import type { CSpeller } from './c-spell.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
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

/**
 * Writes a declaration, without a semicolon: `char (*name)[16]`. The name is a string offset, and may be empty; `owner`
 * is the typedef that it is the name of, 0 for what needs not be unique.
 */
export type CDeclare = (id: number, name: number, owner: number, level: number) => void

/** By kind: 1 for types that stand at the end of a declaration; those with a name are spelled by it. */
const alone = new Uint8Array(128)
for (const kind of [0, kindInt, kindFloat, kindTypedef, kindStruct, kindUnion, kindEnum, kindEnum64, kindFwd])
  alone[kind] = 1

/** By kind: the word of a qualifier. */
const qualifierWords = Array.from({ length: 128 }, () => '')
qualifierWords[kindConst] = 'const'
qualifierWords[kindVolatile] = 'volatile'
qualifierWords[kindRestrict] = 'restrict'

const pointers = ['', ' *', ' **', ' ***', ' ****']

/** Declarations; structs, unions and enums without a name are written in place by `definitions`, by kind. */
export function cDeclare(
  flat: CTypes,
  pen: Pen,
  steps: CSteps,
  spell: CSpeller,
  definitions: readonly ((id: number, level: number) => void)[],
): CDeclare {
  const { words, starts, kinds, strings } = flat
  /** Types of the declarations being written, outermost first; nested ones share the stack. */
  const chain: number[] = []
  let top = 0
  /** What C writes after their names, once with an id and once with 1 where a parenthesis closes before it. */
  const after: number[] = []
  let afterTop = 0
  let depth = 0

  /** The name that is declared: that of the typedef `owner`, or of something that needs not be unique. */
  const declaredName = (name: number, owner: number): void => {
    if (owner === 0) pen.name(name)
    else spell.name(owner)
  }

  /** Qualifiers that stand, in the chain, around what is about to be written; in C they come first. */
  const qualifiers = (bottom: number): void => {
    for (; top > bottom; top--) {
      const word = qualifierWords[kinds[chain[top - 1] ?? 0] ?? 0] ?? ''
      if (word === '') break
      pen.text(word)
      pen.text(' ')
    }
  }

  /** Skips qualifiers of an array or function, which mean nothing: compilers make them for quirks of their own. */
  const dropQualifiers = (bottom: number): void => {
    for (; top > bottom; top--) {
      const kind = kinds[chain[top - 1] ?? 0] ?? 0
      if (qualifierWords[kind] === '' && kind !== kindTypeTag) break
    }
  }

  const declare = (id: number, name: number, owner: number, level: number): void => {
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
      spell.alone[kind]?.(end)
      const named = name !== 0 && strings[name] !== 0
      if (stars > 0) pen.text(pointers[stars] ?? '')
      else if (named) pen.text(' ')
      if (named) declaredName(name, owner)
      return
    }
    declareChain(id, name, owner, level)
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
    const afterBottom = afterTop
    qualifiers(bottom)
    const innerKind = kinds[innermost] ?? 0
    const anonymous = innermost !== 0 && words[starts[innermost] ?? 0] === 0
    const write = (anonymous ? definitions[innerKind] : undefined) ?? spell.alone[innerKind]
    write?.(innermost, level)
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
          behind[kind]?.(id, level)
          done = true
          break
        }
        const array = kind === kindArray
        const bare = array && kinds[chain[top - 1] ?? 0] === kindArray
        if (!array || (hasName && !afterPointer)) pen.text(' ')
        if (!bare) pen.text('(')
        after[afterTop++] = id
        after[afterTop++] = bare ? 0 : 1
        afterPointer = true
        continue
      }
      if (kind === kindTypeTag) {
        qualifiers(bottom)
        pen.text(' __attribute__((btf_type_tag("')
        pen.name(words[starts[id] ?? 0] ?? 0)
        pen.text('")))')
      } else {
        pen.text(' ')
        pen.text(qualifierWords[kind] ?? '')
      }
      afterPointer = false
    }
    if (!done && hasName) {
      if (!afterPointer) pen.text(' ')
      declaredName(name, owner)
    }
    while (afterTop > afterBottom) {
      afterTop -= 2
      if (after[afterTop + 1] === 1) pen.text(')')
      const id = after[afterTop] ?? 0
      behind[kinds[id] ?? 0]?.(id, level)
    }
  }

  /** By kind: writes what stands behind a name. */
  const behind: ((id: number, level: number) => void)[] = []
  behind[kindArray] = (id) => {
    pen.text('[')
    pen.number(words[(starts[id] ?? 0) + 5] ?? 0)
    pen.text(']')
  }
  behind[kindFuncProto] = (id, level) => {
    const start = starts[id] ?? 0
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
      else declare(type, words[at] ?? 0, 0, level)
    }
    pen.text(')')
  }

  return declare
}
