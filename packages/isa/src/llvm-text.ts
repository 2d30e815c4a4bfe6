import type { Insn } from './insn.ts'
import { imm64Of } from './insn.ts'
import type { InsnRow } from './insn-row.ts'
import { wideOpcode } from './insn-view.ts'
import type { OpName } from './instruction-set.ts'
import { instructionSet, rowOf } from './instruction-set.ts'
import { accessModeOf, insnClassOf } from './opcode.ts'
import type { OperandPrinters } from './text-template.ts'
import { signedHex } from './text-template.ts'

/** A jump's distance: `+0x5`, `-0x3`. */
const distance = (value: number): string => (value < 0 ? signedHex(value) : `+${signedHex(value)}`)

/** Operands as llvm-objdump 19 prints them: immediates in hexadecimal with a sign. */
export const llvmOperands: OperandPrinters = {
  dst: (insn) => String(insn.dst),
  src: (insn) => String(insn.src),
  imm: (insn) => signedHex(insn.imm),
  callee: (insn) => signedHex(insn.imm),
  imm64: (insn) => signedHex(BigInt.asIntN(64, imm64Of(insn))),
  uimm64: (insn) => signedHex(imm64Of(insn)),
  imm_hi16: (insn) => signedHex(insn.imm >>> 16),
  imm_lo16: (insn) => signedHex(insn.imm & 0xffff),
  off: (insn) => (insn.off < 0 ? `- ${signedHex(-insn.off)}` : `+ ${signedHex(insn.off)}`),
  jump: (insn) => distance(insn.off),
  jump32: (insn) => distance(insn.imm),
  pseudo: (insn) => signedHex(insn.src),
  r32: (_, options) => (options.alu32 === true ? 'w' : 'r'),
}

/** What llvm-objdump prints where it finds no instruction. */
export const llvmUnknown = '<unknown>'

/** The highest register that LLVM can name; the kernel has 0 to 10, and 11 inside. */
export const llvmLastRegister = 11

/** True where LLVM can name the registers of an instruction; it decodes no other. */
export function llvmCanName(insn: Insn, row: InsnRow): boolean {
  return (
    (row.dst !== 'any' || insn.dst <= llvmLastRegister) && (row.src !== 'any' || insn.src <= llvmLastRegister)
  )
}

/**
 * The row that llvm-objdump prints for a `raw` instruction: it ignores most reserved fields.
 * It reads a few bits of an atomic operation and guesses the rest; that is not followed.
 */
export function llvmRowOfRaw(insn: Insn): InsnRow<OpName> | undefined {
  if (insn.opcode === wideOpcode) {
    if (insn.off !== 0 || insn.nextImm === undefined) return undefined
    return rowOf(insn.src === 0 ? 'lddw' : 'lddw_map_fd')
  }
  const { opcode } = insn
  const cls = insnClassOf(opcode)
  const arithmetic = cls === 'alu' || cls === 'alu64'
  const atomic = cls === 'stx' && accessModeOf(opcode) === 'atomic'
  return instructionSet.find((row) => {
    if (row.opcode !== opcode || row.name === 'gotox') return false
    // A fixed imm tells byte swaps and atomic operations apart; a fixed off tells signed from unsigned arithmetic.
    const immCounts = atomic || row.name === 'exit' || (row.imm !== 'any' && row.imm !== 0)
    const offCounts = arithmetic && !immCounts && !row.name.startsWith('neg')
    return (!immCounts || row.imm === insn.imm) && (!offCounts || row.off === insn.off)
  })
}
