import type { Insn } from './insn.ts'
import { imm64Of } from './insn.ts'
import { framePointer } from './operand-readers.ts'
import type { OperandPrinters } from './text-template.ts'

/** binutils prints what is above nine in hexadecimal, and what is negative in decimal. */
const mostDecimal = 9
const immediate = (value: number | bigint): string =>
  value <= mostDecimal ? String(value) : `0x${value.toString(16)}`

const register = (number: number): string => (number === framePointer ? 'fp' : `r${number}`)

/** Operands as objdump of binutils 2.40 prints them; it can name no register above 10, and prints `???`. */
export const gnuOperands: OperandPrinters = {
  dst: (insn) => register(insn.dst),
  src: (insn) => register(insn.src),
  imm: (insn) => immediate(insn.imm),
  imm64: (insn) => immediate(BigInt.asIntN(64, imm64Of(insn))),
  imm_hi16: (insn) => String(insn.imm >>> 16),
  imm_lo16: (insn) => String(insn.imm & 0xffff),
  off: (insn) => `+${immediate(insn.off)}`,
  jump: (insn: Insn) => String(insn.off),
  jump32: (insn: Insn) => String(insn.imm),
  callee: (insn: Insn) => String(insn.imm),
}

/** What objdump prints where it finds no instruction. */
export const gnuUnknown = '*unknown*'
