import type { InsnIndex } from '@tsbpf/base'
import { encodeInsns, makeInsn } from '@tsbpf/isa'
import type { InsnOperands, OpName } from '@tsbpf/isa'
import type { CoreRelocation } from '@tsbpf/object'
import type { CoreKindName } from '../src/index.ts'
import { coreKinds } from '../src/index.ts'
import { id } from './make-btf.ts'

/** Instructions as bytes, little-endian unless said otherwise. */
export function insns(...list: readonly (readonly [OpName, InsnOperands?])[]): Uint8Array {
  return encodeInsns(
    list.map(([op, operands]) => makeInsn(op, operands)),
    { littleEndian: true },
  )
}

/** A relocation of the instruction at `insn`. */
export function reloc(kind: CoreKindName, type: number, access = '0', insn = 0): CoreRelocation {
  return { insn: insn as InsnIndex, type: id(type), access, kind: coreKinds.value(kind) }
}
