import type { TypeId } from '@tsbpf/base'
import { staticFunctions } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { ObjectSpec } from './object-spec.ts'

/**
 * The object's BTF as it is to be loaded: FUNCs of hidden subprograms are static there, so that the verifier checks them for
 * each of their callers, as libbpf has it (`bpf_object__sanitize_and_load_btf` of tools/lib/bpf/libbpf.c). `spec.btf`
 * itself where nothing is hidden; a static linker needs that one.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { loadableBtf, parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * console.log(loadableBtf(spec) === spec.btf ? 'nothing is hidden' : 'hidden functions are static')
 * ```
 */
export function loadableBtf(spec: ObjectSpec): Btf | undefined {
  const { btf, subprograms } = spec
  if (btf === undefined) return undefined
  const ids: TypeId[] = []
  for (const { name, hidden, binding } of subprograms) {
    if (hidden !== true || binding === 'local') continue
    // By name, as libbpf: a weak function that another one has replaced has no FUNC of its own.
    const id = btf.idsByName(name, 'func').find((one) => {
      const type = btf.type(one)
      return type.kind === 'func' && type.linkage === 'global'
    })
    if (id !== undefined) ids.push(id)
  }
  return staticFunctions(btf, ids, { name: 'BTF of the object' })
}
