import type { Btf } from '../btf-type.ts'
import { parseBtf } from '../parse-btf.ts'
import { baseStrings, encodeImage, openImage, stringMover } from './btf-image.ts'
import { dedupPrimitives, dedupReferences, dedupStructs, enterBase, resolveForwards } from './dedup-passes.ts'
import { dedupState, resolveId } from './dedup-state.ts'
import { moveExt } from './ext-image.ts'
import { stringTable } from './string-table.ts'
import { eachId, eachString, wordCount } from './type-fields.ts'

/** Options of {@link dedupBtf}. */
export interface DedupBtfOptions {
  /** The `.BTF.ext` data that goes with the BTF: its strings are kept, its ids and strings follow. */
  readonly ext?: Uint8Array
  /** Name of the BTF, for messages; `BTF` unless given. */
  readonly name?: string
}

/** What {@link dedupBtf} gives. */
export interface DedupedBtf {
  readonly btf: Btf
  /** By old id: the new one. Ids of a base stay, but for declarations of types that the split BTF defines. */
  readonly ids: Uint32Array
  /** The `.BTF.ext` data, where there was some. */
  readonly ext: Uint8Array | undefined
}

/**
 * Leaves of equal types one, and of equal strings one, by the algorithm of libbpf 1.5 (`btf__dedup`), with its result
 * byte for byte: primitive types, then structs and unions by walking their graphs side by side, then forward
 * declarations of which one definition is known, then all that refers to others. Variables and data sections stay.
 * Types stay in their order, strings no type uses are dropped. A split BTF is deduplicated against its base, which stays
 * as it is. Done again, it changes nothing.
 *
 * Throws `BTF_STRING`, `BTF_REFERENCE`, `BTF_CYCLE` (pointers that lead to themselves), and `BTF_DEDUP` for data made to
 * take forever: time is bounded by the size of the data.
 *
 * @example
 * ```ts
 * import { dedupBtf, encodeBtf, parseBtf } from '@tsbpf/btf'
 * const int = { kind: 'int', name: 'int', size: 4, signed: true } as const
 * const { btf, ids } = dedupBtf(parseBtf(encodeBtf([int, int, { kind: 'ptr', type: 2 }])))
 * console.log(btf.endId, ids) // 3 Uint32Array(4) [ 0, 1, 1, 2 ]
 * ```
 */
export function dedupBtf(btf: Btf, options: DedupBtfOptions = {}): DedupedBtf {
  const { name: file = 'BTF', ext } = options
  const image = openImage(btf, file)
  const { words, starts, firstId, endId } = image

  const strings =
    btf.base === undefined ? stringTable() : stringTable(new Uint8Array(), baseStrings(btf.base))
  const move = stringMover(image, strings)
  const string = (offset: number): number => (offset < image.firstString ? offset : move(offset))
  for (let id = firstId; id < endId; id++) {
    eachString(words, starts[id] ?? 0, (word) => {
      words[word] = string(words[word] ?? 0)
    })
  }

  const state = dedupState(image)
  enterBase(state)
  dedupPrimitives(state)
  dedupStructs(state)
  resolveForwards(state)
  dedupReferences(state)

  /** By old id of a type that stays: the new one. */
  const compact = new Uint32Array(endId)
  let nextId = firstId
  let size = 0
  for (let id = 0; id < endId; id++) {
    if (id < firstId) compact[id] = id
    else if (state.map[id] === id) {
      compact[id] = nextId++
      size += wordCount(words, starts[id] ?? 0)
    }
  }
  const ids = new Uint32Array(endId)
  for (let id = 1; id < endId; id++) ids[id] = compact[resolveId(state, id)] ?? 0
  const kept = new Uint32Array(size)
  let at = 0
  for (let id = firstId; id < endId; id++) {
    if (state.map[id] !== id) continue
    const start = starts[id] ?? 0
    const count = wordCount(words, start)
    kept.set(words.subarray(start, start + count), at)
    eachId(kept, at, (word) => {
      kept[word] = ids[kept[word] ?? 0] ?? 0
    })
    at += count
  }

  const moved =
    ext === undefined ? undefined : moveExt(ext, btf, `${file}.ext`, { type: (id) => ids[id] ?? 0, string })
  const data = encodeImage(kept, strings.bytes(), image.littleEndian)
  const base = btf.base === undefined ? {} : { base: btf.base }
  return { btf: parseBtf(data, { name: file, ...base }), ids, ext: moved }
}
