import fc from 'fast-check'
import type { Insn, InsnRow, OpName } from '../src/index.ts'
import { instructionSet } from '../src/index.ts'

const registers = fc.nat(15)
const offsets = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x7fff, -0x8000),
  fc.integer({ min: -0x8000, max: 0x7fff }),
)
const immediates = fc.oneof(fc.constantFrom(0, 1, -1, 0x7fff_ffff, -0x8000_0000), fc.integer())

/** Instructions of one row with every operand at random. */
export function insnsOf(row: InsnRow<OpName>): fc.Arbitrary<Insn> {
  const field = (use: number | 'any', any: fc.Arbitrary<number>): fc.Arbitrary<number> =>
    use === 'any' ? any : fc.constant(use)
  return fc.record({
    op: fc.constant(row.name),
    opcode: fc.constant(row.opcode),
    dst: field(row.dst, registers),
    src: field(row.src, registers),
    off: field(row.off, offsets),
    imm: field(row.imm, immediates),
    nextImm: row.wide ? immediates : fc.constant(undefined),
  })
}

/** Instructions of all rows. */
export const insns: fc.Arbitrary<Insn> = fc.constantFrom(...instructionSet).chain(insnsOf)
