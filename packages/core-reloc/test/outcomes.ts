import type { Btf } from '@tsbpf/btf'
import type { ObjectSpec } from '@tsbpf/object'
import { relocate } from '../src/index.ts'

/** What an object's relocations come to, but for ids of types, which are others in another BTF. */
export function outcomes(spec: ObjectSpec, btf: Btf) {
  const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf }] })
  return results.map(({ kind, targetType, newValue, ...result }) => ({
    at: [result.program, result.insn, kind, result.accessText],
    status: result.status,
    value: kind === 'target_type_id' ? Number(newValue) > 0 : newValue,
    memSize: result.memSize,
    type: targetType && `${targetType.kind} ${targetType.name}`,
    code: result.error?.code,
  }))
}
