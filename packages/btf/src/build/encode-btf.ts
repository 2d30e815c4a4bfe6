import { btfBuilder } from './btf-builder.ts'
import type { BtfBuilderOptions, BuildBtfOptions } from './btf-builder.ts'
import type { BtfTypeInput } from './type-input.ts'

/**
 * Encodes types as `.BTF` data: the first gets id 1, or one more than the base's last. The exact inverse of decoding:
 * the decoded types of what it returns are `types`, with everything written out. Throws `BTF_BUILD`; see
 * {@link btfBuilder} for rules and references.
 *
 * @example
 * ```ts
 * import { encodeBtf, parseBtf } from '@tsbpf/btf'
 * const bytes = encodeBtf([{ kind: 'int', name: 'int', size: 4, signed: true }, { kind: 'ptr', type: 1 }])
 * console.log(parseBtf(bytes).kind(2)) // ptr
 * ```
 */
export function encodeBtf(
  types: Iterable<BtfTypeInput>,
  options: BtfBuilderOptions & BuildBtfOptions = {},
): Uint8Array {
  const builder = btfBuilder(options)
  for (const type of types) builder.add(type)
  return builder.build(options)
}
