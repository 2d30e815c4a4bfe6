import { errors } from '../errors.ts'
import { kindOfInfo, kinds } from '../kinds.ts'
import { limits } from '../limits.ts'
import type { BtfImage } from './btf-image.ts'
import { candidateTable } from './candidate-table.ts'
import type { CandidateTable } from './candidate-table.ts'

/** In the map of ids: not yet looked at, and being looked at; all others are ids. */
export const unprocessed = 0xffff_ffff
export const inProgress = 0xffff_fffe

/** Numbers of the kinds, as `info` has them. */
export const kindNumber = {
  int: kinds.value('int'),
  ptr: kinds.value('ptr'),
  array: kinds.value('array'),
  struct: kinds.value('struct'),
  union: kinds.value('union'),
  enum: kinds.value('enum'),
  fwd: kinds.value('fwd'),
  typedef: kinds.value('typedef'),
  volatile: kinds.value('volatile'),
  const: kinds.value('const'),
  restrict: kinds.value('restrict'),
  func: kinds.value('func'),
  funcProto: kinds.value('func_proto'),
  var: kinds.value('var'),
  datasec: kinds.value('datasec'),
  float: kinds.value('float'),
  declTag: kinds.value('decl_tag'),
  typeTag: kinds.value('type_tag'),
  enum64: kinds.value('enum64'),
} as const

/** What the passes of deduplication share. */
export interface DedupState {
  readonly image: BtfImage
  readonly words: Uint32Array
  readonly starts: Uint32Array
  /** By id: number of the kind; 0 for void. */
  readonly kinds: Uint8Array
  /** By id: the type it is the same as, itself where it is the one that stays, or one of the two marks above. */
  readonly map: Uint32Array
  readonly table: CandidateTable
  /** Counts comparisons, and throws where there are too many for the size of the data. */
  readonly charge: (id: number, steps: number) => void
}

/** Number of a type's kind; 0 for void. */
export function kindAt(state: DedupState, id: number): number {
  return state.kinds[id] ?? 0
}

/** The type that an id stands for, as far as is known. */
export function resolveId({ map }: DedupState, id: number): number {
  let at = id
  for (;;) {
    const to = map[at] ?? unprocessed
    if (to === at || to >= inProgress) return at
    at = to
  }
}

/** Nothing is known yet but that void, variables and data sections stay what they are. */
export function dedupState(image: BtfImage): DedupState {
  const { words, starts, endId } = image
  const map = new Uint32Array(endId).fill(unprocessed)
  map[0] = 0
  const kindById = new Uint8Array(endId)
  let steps = 0
  const most = limits.dedupSteps + words.length * limits.dedupStepsPerWord
  const state: DedupState = {
    image,
    words,
    starts,
    kinds: kindById,
    map,
    table: candidateTable(endId),
    charge(id, count) {
      steps += count
      if (steps > most) throw errors.BTF_DEDUP({ file: image.file, id, steps })
    },
  }
  for (let id = 1; id < endId; id++) {
    const kind = kindOfInfo(words[(starts[id] ?? 0) + 1] ?? 0)
    kindById[id] = kind
    if (id < image.firstId || kind === kindNumber.var || kind === kindNumber.datasec) map[id] = id
  }
  return state
}
