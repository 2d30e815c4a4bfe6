import type { Insn } from './insn.ts'
import { imm64Of } from './insn.ts'
import type { OperandPrinters } from './text-template.ts'
import { signed } from './text-template.ts'

/** Operands as the conformance corpus writes them: `%r1`, `[%r10-8]`, `+5`. */
export const conformanceOperands: OperandPrinters = {
  dst: (insn) => String(insn.dst),
  src: (insn) => String(insn.src),
  imm: (insn) => String(insn.imm),
  callee: (insn) => String(insn.imm),
  uimm64: (insn) => `0x${imm64Of(insn).toString(16)}`,
  imm_hi16: (insn) => String(insn.imm >>> 16),
  imm_lo16: (insn) => String(insn.imm & 0xffff),
  off: (insn) => (insn.off === 0 ? '' : signed(insn.off)),
  jump: (insn) => signed(insn.off),
  jump32: (insn) => signed(insn.imm),
  module: (insn) => (insn.off === 0 ? '' : `, ${insn.off}`),
}

/** Directive of a slot by its fields: opcode, dst, src, off, imm, and the upper half of a wide immediate. */
export const rawDirective = '.insn'

/** A slot that is no instruction, by its fields. */
export function conformanceRaw(insn: Insn): string {
  const next = insn.nextImm === undefined ? '' : `, ${insn.nextImm}`
  const opcode = `0x${insn.opcode.toString(16).padStart(2, '0')}`
  return `${rawDirective} ${opcode}, ${insn.dst}, ${insn.src}, ${insn.off}, ${insn.imm}${next}`
}
