import type { Btf } from '../btf-type.ts'
import { btfBuilder } from './btf-builder.ts'
import type { AddedBtf, BuildBtfOptions } from './btf-builder.ts'

/** What {@link mergeBtf} gives. */
export interface MergedBtf {
  readonly btf: Btf
  /** For each given BTF, in their order: where its types have come to be. */
  readonly added: readonly Pick<AddedBtf, 'type'>[]
}

/**
 * Puts BTFs one after the other, with ids that follow and strings that are each stored once (libbpf's `btf__add_btf`).
 * Equal types stay apart until {@link dedupBtf}. Split BTFs must have the same base, and become one split BTF on it.
 * Little endian unless said otherwise, whatever the given ones are. Throws `BTF_BASE`, `BTF_STRING`, `BTF_REFERENCE`.
 *
 * @example
 * ```ts
 * import { dedupBtf, encodeBtf, mergeBtf, parseBtf } from '@tsbpf/btf'
 * const one = parseBtf(encodeBtf([{ kind: 'int', name: 'int', size: 4, signed: true }]))
 * const { btf, added } = mergeBtf([one, one])
 * console.log(btf.endId, added[1]?.type(1), dedupBtf(btf).btf.endId) // 3 2 2
 * ```
 */
export function mergeBtf(
  btfs: readonly Btf[],
  options: BuildBtfOptions & { readonly name?: string } = {},
): MergedBtf {
  const { name = 'BTF' } = options
  const base = btfs.find((btf) => btf.base !== undefined)?.base
  const builder = btfBuilder({ name, rules: 'none', ...(base === undefined ? {} : { base }) })
  const added = btfs.map((btf) => builder.addBtf(btf))
  return { btf: builder.open(options), added }
}
