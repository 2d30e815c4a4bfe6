import type { TypeId } from '@tsbpf/base'
import { tablesOf } from './btf-tables.ts'
import type { Btf } from './btf-type.ts'
import { readHeader } from './header.ts'
import { parseBtf } from './parse-btf.ts'

/**
 * A copy in which these FUNCs are static, `btf` itself where there are none: the verifier checks a static function for each of
 * its callers, a global one by itself. libbpf loads FUNCs of hidden subprograms so (`bpf_object__sanitize_and_load_btf`).
 *
 * `name` is for messages. Ids of other kinds and of the base's types are left alone.
 *
 * @example
 * ```ts
 * import { parseBtf, staticFunctions } from '@tsbpf/btf'
 * declare const bytes: Uint8Array
 * const btf = parseBtf(bytes)
 * const helper = btf.find('helper', 'func')
 * const loaded = staticFunctions(btf, helper === undefined ? [] : [helper.id])
 * ```
 */
export function staticFunctions(
  btf: Btf,
  functions: Iterable<TypeId>,
  options: { readonly name?: string } = {},
): Btf {
  const file = options.name ?? 'BTF'
  const { words, starts } = tablesOf(btf).index
  let copy: Uint8Array | undefined
  for (const id of functions) {
    if (id < btf.firstId || btf.kind(id) !== 'func') continue
    copy ??= new Uint8Array(btf.bytes)
    const { typesAt, littleEndian } = readHeader(copy, file, btf.base !== undefined)
    const info = (starts[id - btf.firstId] ?? 0) + 1
    // The linkage stands where other kinds keep their vlen.
    const kind = ((words[info] ?? 0) & 0xff00_0000) >>> 0
    new DataView(copy.buffer).setUint32(typesAt + info * 4, kind, littleEndian)
  }
  if (copy === undefined) return btf
  return parseBtf(copy, { name: file, ...(btf.base === undefined ? {} : { base: btf.base }) })
}
