import { helperNames } from '@tsbpf/uapi/helpers'
import type { Insn } from './insn.ts'
import { imm64Of } from './insn.ts'
import { insnClassOf } from './opcode.ts'
import type { OperandPrinters } from './text-template.ts'
import { signed } from './text-template.ts'

const helperName = (id: number): string | undefined => (id === 0 ? undefined : helperNames.byValue(id)?.name)

/** Operands as the kernel prints them: kernel/bpf/disasm.c. */
export const verifierOperands: OperandPrinters = {
  dst: (insn) => String(insn.dst),
  src: (insn) => String(insn.src),
  imm: (insn) => String(insn.imm),
  uimm: (insn) => `0x${(insn.imm >>> 0).toString(16)}`,
  imm64: (insn) => `0x${imm64Of(insn).toString(16)}`,
  imm_hi16: (insn) => String(insn.imm >>> 16),
  imm_lo16: (insn) => String(insn.imm & 0xffff),
  off: (insn) => signed(insn.off),
  jump: (insn) => `pc${signed(insn.off)}`,
  jump32: (insn) => `pc${signed(insn.imm)}`,
  helper: (insn, options) => {
    const name = (options.helperName ?? helperName)(insn.imm)
    return name === undefined ? 'unknown' : `bpf_${name}`
  },
  kfunc: (insn, options) => options.kfuncName?.(insn.imm, insn.off) ?? 'kernel-function',
}

/** The opcode before each instruction: `(b7) `. */
export const opcodePrefix = (opcode: number): string => `(${opcode.toString(16).padStart(2, '0')}) `

/** What the kernel's printer says of a load or store it does not know; its log never gets so far. */
export function verifierUnknown(insn: Insn): string {
  const kind = insnClassOf(insn.opcode)
  const known = kind === 'ld' || kind === 'ldx' || kind === 'st'
  return `BUG_${known ? `${kind}_` : ''}${insn.opcode.toString(16).padStart(2, '0')}`
}
