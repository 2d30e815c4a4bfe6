import type { TypeId } from '@tsbpf/base'
import { codec } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { MapCodecs } from './create-map.ts'
import { indexCodec } from './element-codec.ts'
import type { ElementCodec } from './element-codec.ts'
import { liveReader } from './live-value.ts'
import { objectCodec } from './number-codec.ts'
import { mapOperations } from './operations.ts'
import type { MapOperations } from './operations.ts'
import { wordCodec, wordOf } from './scalar-codec.ts'

/** What {@link btfCodecs} has to know of a map; a `MapSpec` of `@tsbpf/object` has it. */
export interface TypedMap {
  /** Kernel spelling in lower case. */
  readonly type: string
  readonly keySize: number
  readonly valueSize: number
  /** Types of key and value, where known. */
  readonly keyType: TypeId | undefined
  readonly valueType: TypeId | undefined
}

/**
 * Codecs for a map's elements from the types that it was declared with. A key or value without a type, or with one of
 * another size than the map's, stays bytes; the index of an array without a type is a number. Values of maps that hold
 * objects are those of {@link objectCodec}.
 *
 * Throws what `codec` of `@tsbpf/btf` throws for types that have no values.
 *
 * @example
 * ```ts no-run
 * import { btfCodecs, mapFromFd } from '@tsbpf/maps'
 * using map = mapFromFd(sys, fd, spec.maps[0], btfCodecs(spec.btf, spec.maps[0]))
 * ```
 */
export function btfCodecs(btf: Btf | undefined, map: TypedMap): MapCodecs<unknown, unknown> {
  const { key, value } = mapOperations.get(map.type) ?? {}
  return {
    key: codecOf(btf, map.keyType, map.keySize) ?? (key === 'index' ? any(indexCodec) : undefined),
    value: codecOf(btf, map.valueType, map.valueSize, value === 'object') ?? objectOf(map, value),
  }
}

function any<T>(codec: ElementCodec<T>): ElementCodec<unknown> {
  return codec
}

function objectOf(
  { valueSize }: TypedMap,
  value: MapOperations['value'] | undefined,
): ElementCodec<unknown> | undefined {
  return value === 'object' && (valueSize === 4 || valueSize === 8) ? any(objectCodec(valueSize)) : undefined
}

function codecOf(
  btf: Btf | undefined,
  type: TypeId | undefined,
  size: number,
  isObject = false,
): ElementCodec<unknown> | undefined {
  if (btf === undefined || type === undefined || isObject) return undefined
  const found = codec(btf, type)
  if (found.size !== size) return undefined
  const word = wordOf(btf, type)
  const { decode, encodeInto } = wordCodec(found, word)
  let live: ElementCodec<unknown>['live']
  return {
    size,
    decode,
    encodeInto,
    word,
    live: (memory, at) => (live ??= liveReader(btf, type))(memory, at),
  }
}
