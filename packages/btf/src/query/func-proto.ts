import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfTypeOf } from '../btf-type.ts'

/**
 * The prototype of a function: of the first FUNC with that name, or of an id, which may be that of a FUNC, of a pointer
 * to a function (a member of a `struct_ops` type), of a typedef of either, or of the prototype itself. `undefined` where
 * there is no such function, or the type is none.
 *
 * Throws `BTF_TYPE_ID` for an id out of range.
 *
 * @example
 * ```ts
 * import { formatType, funcProto, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * for (const { name, type } of funcProto(kernel, 'tcp_connect')?.params ?? []) {
 *   console.log(name, formatType(kernel, type)) // sk struct sock *
 * }
 * ```
 */
export function funcProto(btf: Btf, func: string | TypeId | number): BtfTypeOf<'func_proto'> | undefined {
  const id = typeof func === 'string' ? btf.idsByName(func, 'func')[0] : func
  if (id === undefined) return undefined
  let type = btf.resolve(id)
  if (type.kind === 'ptr' || type.kind === 'func') type = btf.resolve(type.type)
  return type.kind === 'func_proto' ? type : undefined
}
