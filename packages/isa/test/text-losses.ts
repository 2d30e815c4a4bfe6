import type { Dialect, Insn, OpName } from '../src/index.ts'
import { makeInsn } from '../src/index.ts'

/** What a dialect does not write down of a row, and what is read instead. */
export interface TextLoss {
  readonly reason: string
  /** The instruction that is read from the text of `insn`. */
  readonly readAs: (insn: Insn) => Insn
}

const asHelper: TextLoss = {
  reason: 'llvm-objdump prints every call as `call N`; which kind it is stands in src, and relocations tell',
  readAs: (insn) => makeInsn('call', { imm: insn.imm }),
}

const asHelperInGnu: TextLoss = {
  ...asHelper,
  reason: 'objdump prints every call as `call N`; relocations tell which kind it is',
}

const asPlainWide: TextLoss = {
  reason: 'kernel/bpf/disasm.c prints every wide immediate alike; what it stands for is in src',
  readAs: (insn) => ({ ...insn, op: 'lddw', src: 0 }),
}

const asPlainWideInGnu: TextLoss = {
  ...asPlainWide,
  reason: 'objdump prints every wide immediate as `lddw`; relocations tell what it stands for',
}

/** Rows whose text says less than the instruction; test/property/text.test.ts holds each to what is said here. */
export const textLosses: Readonly<Record<Dialect, Partial<Readonly<Record<OpName, TextLoss>>>>> = {
  llvm: {
    call_subprogram: asHelper,
    call_kfunc: asHelper,
    ...indirectPacketLoads(),
  },
  verifier: {
    lddw_map_fd: asPlainWide,
    lddw_map_value: asPlainWide,
    lddw_btf_id: asPlainWide,
    lddw_func: asPlainWide,
    lddw_map_idx: asPlainWide,
    lddw_map_idx_value: asPlainWide,
    call_kfunc: {
      reason: 'the verifier prints the id of a kfunc and not the index of its module in off',
      readAs: (insn) => ({ ...insn, off: 0 }),
    },
  },
  gnu: {
    lddw_map_fd: asPlainWideInGnu,
    lddw_map_value: asPlainWideInGnu,
    lddw_btf_id: asPlainWideInGnu,
    lddw_func: asPlainWideInGnu,
    lddw_map_idx: asPlainWideInGnu,
    lddw_map_idx_value: asPlainWideInGnu,
    call_subprogram: asHelperInGnu,
    call_kfunc: asHelperInGnu,
  },
  conformance: {},
}

function indirectPacketLoads(): Partial<Record<OpName, TextLoss>> {
  const loss: TextLoss = {
    reason: 'llvm-objdump prints the register of an indirect packet load and not its imm',
    readAs: (insn) => ({ ...insn, imm: 0 }),
  }
  return { ld_ind_b: loss, ld_ind_h: loss, ld_ind_w: loss }
}
