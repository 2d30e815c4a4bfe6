import { tablesOf } from '../btf-tables.ts'
import type { Btf } from '../btf-type.ts'
import { kinds } from '../kinds.ts'
import type { StringBytes } from '../string-bytes.ts'

/** Types of one BTF's own, its base's not among them, that can only be found by going through all. */
export interface OwnTypes {
  /** The types in the host's byte order. */
  readonly words: Uint32Array
  readonly strings: StringBytes
  /** Enums of both kinds: id, and where in `words` it starts. */
  readonly enums: readonly (readonly [id: number, start: number])[]
  /** Ids of decl tags. */
  readonly declTags: readonly number[]
}

const known = new WeakMap<Btf, OwnTypes>()

const enumKinds = new Set<number | undefined>([kinds.byName('enum')?.value, kinds.byName('enum64')?.value])
const declTagKind = kinds.byName('decl_tag')?.value

/** One pass over the kinds on first use; nothing is decoded. */
export function ownTypes(btf: Btf): OwnTypes {
  const before = known.get(btf)
  if (before !== undefined) return before
  const { index, strings } = tablesOf(btf)
  const enums: [number, number][] = []
  const declTags: number[] = []
  for (let i = 0; i < index.count; i++) {
    const kind = index.kinds[i]
    if (kind === declTagKind) declTags.push(btf.firstId + i)
    else if (enumKinds.has(kind)) enums.push([btf.firstId + i, index.starts[i] ?? 0])
  }
  const made = { words: index.words, strings, enums, declTags }
  known.set(btf, made)
  return made
}

/** A BTF's bases from the outermost, and itself. */
export function layersOf(btf: Btf): readonly Btf[] {
  const layers: Btf[] = []
  for (let layer: Btf | undefined = btf; layer !== undefined; layer = layer.base) layers.unshift(layer)
  return layers
}
