import { errors } from '../errors.ts'
import { kindFlagOfInfo, kinds, vlenOfInfo } from '../kinds.ts'
import {
  compatibleEnums,
  equalWords,
  hashEnum,
  hashStruct,
  hashType,
  hashWords,
  isForwardEnum,
  shallowEqual,
} from './dedup-compare.ts'
import { equivalence } from './dedup-equivalence.ts'
import { inProgress, kindAt, kindNumber, resolveId, unprocessed } from './dedup-state.ts'
import type { DedupState } from './dedup-state.ts'

const startOf = (state: DedupState, id: number): number => state.starts[id] ?? 0

/** The candidate with the same words, else the type itself, which then stays. */
function settle(state: DedupState, id: number, hash: number): void {
  const { map, table } = state
  for (let other = table.first(hash); other !== 0; other = table.after(other)) {
    if (!equalWords(state, id, other)) continue
    map[id] = other
    return
  }
  map[id] = id
  table.add(hash, id)
}

/** Types of the base stay as they are, and are what others may be the same as. */
export function enterBase(state: DedupState): void {
  const { image, words, table } = state
  for (let id = 1; id < image.firstId; id++) {
    const kind = kindAt(state, id)
    if (kind === kindNumber.var || kind === kindNumber.datasec) continue
    table.add(hashType(words, startOf(state, id)), id)
  }
}

/** An enum is the same as an equal one; a forward declaration of one stands for any definition of its name. */
function dedupEnum(state: DedupState, id: number): void {
  const { map, table, words } = state
  const hash = hashEnum(words, startOf(state, id))
  let same = id
  for (let other = table.first(hash); other !== 0; other = table.after(other)) {
    if (equalWords(state, id, other)) {
      same = other
      break
    }
    if (!compatibleEnums(state, id, other)) continue
    if (isForwardEnum(state, id)) {
      same = other
      break
    }
    map[other] = id
  }
  map[id] = same
  if (same === id) table.add(hash, id)
}

/** Types that refer to no other. */
export function dedupPrimitives(state: DedupState): void {
  const { image, words } = state
  for (let id = image.firstId; id < image.endId; id++) {
    switch (kindAt(state, id)) {
      case kindNumber.enum:
      case kindNumber.enum64:
        dedupEnum(state, id)
        break
      case kindNumber.int:
      case kindNumber.fwd:
      case kindNumber.float:
        settle(state, id, hashWords(words, startOf(state, id)))
        break
      default:
    }
  }
}

/** Structs and unions: the same where all that they lead to is equivalent. */
export function dedupStructs(state: DedupState): void {
  const { image, map, table, words } = state
  const graphs = equivalence(state)
  for (let id = image.firstId; id < image.endId; id++) {
    const kind = kindAt(state, id)
    if (kind !== kindNumber.struct && kind !== kindNumber.union) continue
    if ((map[id] ?? 0) < inProgress) continue
    const hash = hashStruct(words, startOf(state, id))
    let same = id
    for (let other = table.first(hash); other !== 0; other = table.after(other)) {
      if (!shallowEqual(state, id, other) || !graphs.equivalent(id, other)) continue
      graphs.merge()
      if (graphs.changesBase) continue
      same = other
      break
    }
    map[id] = same
    if (same === id) table.add(hash, id)
  }
}

/** Forward declarations that no walk has resolved, where there is exactly one struct or union of the name. */
export function resolveForwards(state: DedupState): void {
  const { image, map, words } = state
  /** By string offset of the name: the one type, or 0 for several. */
  const byName = new Map<number, number>()
  for (let id = 1; id < image.endId; id++) {
    const kind = kindAt(state, id)
    if ((kind !== kindNumber.struct && kind !== kindNumber.union) || map[id] !== id) continue
    const name = words[startOf(state, id)] ?? 0
    byName.set(name, byName.has(name) ? 0 : id)
  }
  for (let id = image.firstId; id < image.endId; id++) {
    if (kindAt(state, id) !== kindNumber.fwd || map[id] !== id) continue
    const start = startOf(state, id)
    const found = byName.get(words[start] ?? 0) ?? 0
    const wanted = kindFlagOfInfo(words[start + 1] ?? 0) ? kindNumber.union : kindNumber.struct
    if (found !== 0 && kindAt(state, found) === wanted) map[id] = found
  }
}

/** How many ids a type of a kind that refers to others has, and where they stand, in the order they are looked at. */
function referenceCount(state: DedupState, id: number): number {
  const kind = kindAt(state, id)
  if (kind === kindNumber.array) return 2
  return kind === kindNumber.funcProto ? 1 + vlenOfInfo(state.words[startOf(state, id) + 1] ?? 0) : 1
}

function referenceWord(state: DedupState, id: number, index: number): number {
  const start = startOf(state, id)
  if (kindAt(state, id) === kindNumber.array) return start + 3 + index
  return index === 0 ? start + 2 : start + 2 + index * 2
}

/** Types that refer to others: the same where those are, so that what they refer to comes first. */
export function dedupReferences(state: DedupState): void {
  const { image, map, words } = state
  const stack: { readonly id: number; readonly count: number; next: number }[] = []
  const enter = (id: number): void => {
    map[id] = inProgress
    stack.push({ id, count: referenceCount(state, id), next: 0 })
  }
  for (let root = image.firstId; root < image.endId; root++) {
    if (map[root] === unprocessed) enter(root)
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next === top.count) {
        settle(state, top.id, hashWords(words, startOf(state, top.id)))
        stack.pop()
        continue
      }
      const word = referenceWord(state, top.id, top.next)
      const target = words[word] ?? 0
      if (map[target] === inProgress) {
        const type = kinds.format(kindAt(state, target))
        throw errors.BTF_CYCLE({ file: image.file, id: target, type })
      }
      if (map[target] === unprocessed) {
        enter(target)
        continue
      }
      words[word] = resolveId(state, target)
      top.next++
    }
  }
}
