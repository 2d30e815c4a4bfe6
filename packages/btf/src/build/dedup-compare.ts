import { kindOfInfo, vlenOfInfo } from '../kinds.ts'
import { kindNumber } from './dedup-state.ts'
import type { DedupState } from './dedup-state.ts'
import { wordCount } from './type-fields.ts'

/*
 * What makes two types alike on the face of it, in all of these with strings that are each stored once, so that equal
 * names have equal offsets.
 */

const combine = (hash: number, word: number): number => (Math.imul(hash, 31) + word) | 0

const wordAt = (words: Uint32Array, at: number): number => words[at] ?? 0

/** Hash of all words of a type, ids included. */
export function hashWords(words: Uint32Array, start: number): number {
  const end = start + wordCount(words, start)
  let hash = 0
  for (let at = start; at < end; at++) hash = combine(hash, wordAt(words, at))
  return hash >>> 0
}

/** Hash of an enum: only its name, so that a forward declaration meets the definition. */
export function hashEnum(words: Uint32Array, start: number): number {
  return wordAt(words, start)
}

/** Hash of a struct or union, without the types of its members. */
export function hashStruct(words: Uint32Array, start: number): number {
  const end = start + wordCount(words, start)
  let hash = 0
  for (let at = start; at < start + 3; at++) hash = combine(hash, wordAt(words, at))
  for (let at = start + 3; at < end; at += 3) {
    hash = combine(combine(hash, wordAt(words, at)), wordAt(words, at + 2))
  }
  return hash >>> 0
}

/** The hash under which a type is looked for: equal types have equal ones. */
export function hashType(words: Uint32Array, start: number): number {
  switch (kindOfInfo(wordAt(words, start + 1))) {
    case kindNumber.enum:
    case kindNumber.enum64:
      return hashEnum(words, start)
    case kindNumber.struct:
    case kindNumber.union:
      return hashStruct(words, start)
    default:
      return hashWords(words, start)
  }
}

function equalHead(words: Uint32Array, a: number, b: number): boolean {
  return words[a] === words[b] && words[a + 1] === words[b + 1] && words[a + 2] === words[b + 2]
}

/** Equal in every word, ids included. */
export function equalWords(state: DedupState, id: number, other: number): boolean {
  const { words, starts } = state
  const a = starts[id] ?? 0
  const b = starts[other] ?? 0
  state.charge(id, 1)
  if (!equalHead(words, a, b)) return false
  const count = wordCount(words, a)
  state.charge(id, count >>> 2)
  for (let i = 3; i < count; i++) if (words[a + i] !== words[b + i]) return false
  return true
}

/** Structs or unions of equal name, size and members, but for the members' types. */
export function shallowEqual(state: DedupState, id: number, other: number): boolean {
  const { words, starts } = state
  const a = starts[id] ?? 0
  const b = starts[other] ?? 0
  state.charge(id, 1)
  if (!equalHead(words, a, b)) return false
  const count = wordCount(words, a)
  state.charge(id, count >>> 2)
  for (let i = 3; i < count; i += 3) {
    if (words[a + i] !== words[b + i] || words[a + i + 2] !== words[b + i + 2]) return false
  }
  return true
}

/** Arrays of the same length, whatever they are of. */
export function compatibleArrays({ words, starts }: DedupState, id: number, other: number): boolean {
  const a = starts[id] ?? 0
  const b = starts[other] ?? 0
  return equalHead(words, a, b) && words[a + 5] === words[b + 5]
}

/** Prototypes with the same names of parameters, whatever their types. */
export function compatiblePrototypes({ words, starts }: DedupState, id: number, other: number): boolean {
  const a = starts[id] ?? 0
  const b = starts[other] ?? 0
  if (words[a] !== words[b] || words[a + 1] !== words[b + 1]) return false
  const count = wordCount(words, a)
  for (let i = 3; i < count; i += 2) if (words[a + i] !== words[b + i]) return false
  return true
}

function isEnumForward(words: Uint32Array, start: number): boolean {
  return vlenOfInfo(wordAt(words, start + 1)) === 0
}

function isEnum(words: Uint32Array, start: number): boolean {
  const kind = kindOfInfo(wordAt(words, start + 1))
  return kind === kindNumber.enum || kind === kindNumber.enum64
}

/** An enum without values is a forward declaration of any enum or enum64 of its name. */
export function isForwardEnum({ words, starts }: DedupState, id: number): boolean {
  const start = starts[id] ?? 0
  return isEnum(words, start) && isEnumForward(words, start)
}

/** Equal enums, or enums of one name of which one or both are forward declarations. */
export function compatibleEnums(state: DedupState, id: number, other: number): boolean {
  if (!isForwardEnum(state, id) && !isForwardEnum(state, other)) return equalWords(state, id, other)
  const { words, starts } = state
  const a = starts[id] ?? 0
  const b = starts[other] ?? 0
  return words[a] === words[b] && isEnum(words, a) && isEnum(words, b)
}
