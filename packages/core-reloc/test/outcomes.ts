import type { Btf } from '@tsbpf/btf'
import type { ObjectSpec } from '@tsbpf/object'
import { relocate } from '../src/index.ts'

/** What an object's relocations come to, but for ids of types, which are others in another BTF. */
export function outcomes(spec: ObjectSpec, btf: Btf) {
  const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf }] })
  return results.map((result) => ({
    at: [result.program, result.insn, result.kind, result.accessText],
    status: result.status,
    value: result.kind === 'target_type_id' ? Number(result.newValue) > 0 : result.newValue,
    memSize: result.memSize,
    type: result.targetType && `${result.targetType.kind} ${result.targetType.name}`,
    code: result.error?.code,
  }))
}
