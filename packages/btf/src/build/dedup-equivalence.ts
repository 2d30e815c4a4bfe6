import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import {
  compatibleArrays,
  compatibleEnums,
  compatiblePrototypes,
  equalWords,
  shallowEqual,
} from './dedup-compare.ts'
import { inProgress, kindAt, kindNumber, resolveId, unprocessed } from './dedup-state.ts'
import type { DedupState } from './dedup-state.ts'

/**
 * Whether two graphs of types are equivalent, and what follows from it. A candidate's graph is walked side by side with
 * that of a type that stays; which type of the one would be which of the other is noted, and two notes about one type
 * that disagree are a contradiction. A forward declaration may stand for the struct or union that it declares.
 */
export interface Equivalence {
  /** Walks both graphs; what it notes is kept until the next call. */
  equivalent(candidate: number, canonical: number): boolean
  /** Records what the notes of the last walk say about the types it met: for graphs that were equivalent. */
  merge(): void
  /**
   * True where a forward declaration of the base would have to become a type of the split BTF. The base stays as it is,
   * so that the graphs are not equivalent after all.
   */
  readonly changesBase: boolean
}

const isComposite = (kind: number): boolean => kind === kindNumber.struct || kind === kindNumber.union

/** A stack of pairs of ids: the graphs are as deep as the data is long. */
interface Pairs {
  push(a: number, b: number): void
  /** False where there is none; else `a` and `b` are the last pushed. */
  pop(): boolean
  clear(): void
  a: number
  b: number
}

function pairs(): Pairs {
  let items = new Uint32Array(512)
  let length = 0
  const stack: Pairs = {
    a: 0,
    b: 0,
    push(a, b) {
      if (length + 2 > items.length) {
        const larger = new Uint32Array(items.length * 2)
        larger.set(items)
        items = larger
      }
      items[length++] = a
      items[length++] = b
    },
    pop() {
      if (length === 0) return false
      stack.b = items[--length] ?? 0
      stack.a = items[--length] ?? 0
      return true
    },
    clear() {
      length = 0
    },
  }
  return stack
}

export function equivalence(state: DedupState): Equivalence {
  const { words, starts, map, image } = state
  /** By id of the graph that stays: the candidate's type that it would be. */
  const noted = new Uint32Array(image.endId).fill(unprocessed)
  const notes: number[] = []
  const todo = pairs()
  const nested = pairs()
  let changesBase = false

  const startOf = (id: number): number => starts[id] ?? 0
  const isUnion = (id: number): boolean => kindFlagOfInfo(words[startOf(id) + 1] ?? 0)
  const declared = (fwd: number): number => (isUnion(fwd) ? kindNumber.union : kindNumber.struct)

  /** The struct or union that a forward declaration has been found to stand for; else the declaration. */
  const definitionOf = (id: number): number => {
    if (kindAt(state, id) !== kindNumber.fwd) return id
    const to = resolveId(state, id)
    return kindAt(state, to) === kindNumber.fwd ? id : to
  }

  /** Compilers write some arrays, structs and pointers twice: those are the same down to the ids within. */
  const identicalStructs = (first: number, second: number): boolean => {
    const seen = new Set<number>()
    nested.clear()
    nested.push(first, second)
    while (nested.pop()) {
      const { a, b } = nested
      const key = a * image.endId + b
      if (seen.has(key)) continue
      seen.add(key)
      if (!isComposite(kindAt(state, a)) || kindAt(state, a) !== kindAt(state, b)) return false
      if (!shallowEqual(state, a, b)) return false
      const count = vlenOfInfo(words[startOf(a) + 1] ?? 0)
      for (let i = 0; i < count; i++) {
        const one = words[startOf(a) + 4 + i * 3] ?? 0
        const other = words[startOf(b) + 4 + i * 3] ?? 0
        if (one !== other && !identicalArrays(one, other)) nested.push(one, other)
      }
    }
    return true
  }
  const identicalArrays = (a: number, b: number): boolean =>
    kindAt(state, a) === kindNumber.array && kindAt(state, b) === kindNumber.array && equalWords(state, a, b)
  const identicalPointers = (a: number, b: number): boolean =>
    kindAt(state, a) === kindNumber.ptr &&
    kindAt(state, b) === kindNumber.ptr &&
    words[startOf(a) + 2] === words[startOf(b) + 2]

  /** Leaves a pair to be walked, unless both are known to be the same type: most are. */
  const follow = (a: number, b: number): void => {
    if (resolveId(state, a) !== resolveId(state, b)) todo.push(a, b)
  }

  /** Follows what comes after the heads of both, last first, so that they are walked in the order they stand in. */
  const followMembers = (a: number, b: number, each: number): void => {
    const count = vlenOfInfo(words[startOf(a) + 1] ?? 0)
    const one = startOf(a) + 4
    const other = startOf(b) + 4
    for (let i = (count - 1) * each; i >= 0; i -= each) follow(words[one + i] ?? 0, words[other + i] ?? 0)
  }

  /** Compares one pair, notes it, and leaves those that it leads to. */
  const step = (candidate: number, to: number): boolean => {
    const canonical = definitionOf(to)
    const note = noted[canonical] ?? unprocessed
    if (note < inProgress) {
      return (
        note === candidate ||
        identicalArrays(note, candidate) ||
        identicalStructs(note, candidate) ||
        identicalPointers(note, candidate)
      )
    }
    noted[canonical] = candidate
    notes.push(canonical)
    const kind = kindAt(state, candidate)
    const other = kindAt(state, canonical)
    if (kind === 0 || other === 0) return false
    const a = startOf(candidate)
    const b = startOf(canonical)
    if (words[a] !== words[b]) return false
    if (kind !== other) {
      if (kind === kindNumber.fwd) return declared(candidate) === other
      if (other !== kindNumber.fwd || declared(canonical) !== kind) return false
      if (canonical < image.firstId) changesBase = true
      return true
    }
    switch (kind) {
      case kindNumber.int:
      case kindNumber.fwd:
      case kindNumber.float:
        return equalWords(state, candidate, canonical)
      case kindNumber.enum:
      case kindNumber.enum64:
        return compatibleEnums(state, candidate, canonical)
      case kindNumber.const:
      case kindNumber.volatile:
      case kindNumber.restrict:
      case kindNumber.ptr:
      case kindNumber.typedef:
      case kindNumber.func:
      case kindNumber.typeTag:
        if (words[a + 1] !== words[b + 1]) return false
        follow(words[a + 2] ?? 0, words[b + 2] ?? 0)
        return true
      case kindNumber.array:
        if (!compatibleArrays(state, candidate, canonical)) return false
        follow(words[a + 3] ?? 0, words[b + 3] ?? 0)
        follow(words[a + 4] ?? 0, words[b + 4] ?? 0)
        return true
      case kindNumber.struct:
      case kindNumber.union:
        if (!shallowEqual(state, candidate, canonical)) return false
        followMembers(candidate, canonical, 3)
        return true
      case kindNumber.funcProto:
        if (!compatiblePrototypes(state, candidate, canonical)) return false
        followMembers(candidate, canonical, 2)
        follow(words[a + 2] ?? 0, words[b + 2] ?? 0)
        return true
      default:
        // No type refers to variables, sections and tags on declarations.
        return false
    }
  }

  return {
    get changesBase() {
      return changesBase
    },
    equivalent(candidate, canonical) {
      for (const id of notes) noted[id] = unprocessed
      notes.length = 0
      changesBase = false
      todo.clear()
      todo.push(candidate, canonical)
      while (todo.pop()) {
        state.charge(candidate, 1)
        if (!step(todo.a, todo.b)) return false
      }
      return true
    },
    merge() {
      for (const canonical of notes) {
        const to = resolveId(state, noted[canonical] ?? 0)
        const from = resolveId(state, canonical)
        const toKind = kindAt(state, to)
        const fromKind = kindAt(state, from)
        // A declaration of the base too: those of the split BTF lead to it.
        if (toKind !== kindNumber.fwd && fromKind === kindNumber.fwd) map[from] = to
        if (changesBase) continue
        if (toKind === kindNumber.fwd && fromKind !== kindNumber.fwd) map[to] = from
        const settled = (map[from] ?? unprocessed) < inProgress
        const open = (map[to] ?? unprocessed) >= inProgress
        if (isComposite(toKind) && fromKind !== kindNumber.fwd && settled && open) map[to] = from
      }
    },
  }
}
