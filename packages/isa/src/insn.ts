import { errors } from './errors.ts'
import { joinImm64, splitImm64 } from './insn-view.ts'
import type { OpName } from './instruction-set.ts'
import { rowOf } from './instruction-set.ts'

/** `raw` is a slot that is no instruction of the set, or has a reserved field that is not zero. */
export type Op = OpName | 'raw'

/**
 * One instruction as plain data: the name of its row and the fields of its slot (RFC 9669 section 3).
 *
 * `dst` and `src` are 0 to 15, `off` is signed 16 bits and `imm` signed 32 bits. `nextImm` is the signed upper half of a
 * wide instruction's immediate, `undefined` for all others; {@link imm64Of} gives both halves.
 * A `raw` instruction keeps its slot as it was found; it is encoded as its fields say, whatever they are.
 */
export interface Insn {
  readonly op: Op
  readonly opcode: number
  readonly dst: number
  readonly src: number
  readonly off: number
  readonly imm: number
  readonly nextImm: number | undefined
}

/** Operands of {@link makeInsn}; those that are not given are zero. */
export interface InsnOperands {
  readonly dst?: number
  readonly src?: number
  readonly off?: number
  readonly imm?: number
  /** Immediate of a wide instruction, instead of `imm`; signed or unsigned. */
  readonly imm64?: bigint
}

/**
 * Makes an instruction: fields that the operation fixes (its opcode, the 1 in `off` of a signed division) are set by its row.
 *
 * Errors: `ISA_FIELD_MISMATCH` for an operand that the operation has not.
 *
 * @example
 * ```ts
 * import { makeInsn } from '@tsbpf/isa'
 * console.log(makeInsn('sdiv64_imm', { dst: 1, imm: 2 }).off) // 1
 * ```
 */
export function makeInsn(op: OpName, operands: InsnOperands = {}): Insn {
  const row = rowOf(op)
  const { imm64 } = operands
  if (imm64 !== undefined && !row.wide) {
    throw errors.ISA_FIELD_MISMATCH({
      op,
      field: 'imm64',
      expected: 'no 64-bit immediate',
      actual: String(imm64),
    })
  }
  const [low, high] = imm64 === undefined ? [undefined, 0] : splitImm64(imm64)
  const field = (name: 'dst' | 'src' | 'off' | 'imm', given: number | undefined): number => {
    const use = row[name]
    if (use === 'any') return given ?? 0
    if (given === undefined || given === use) return use
    throw errors.ISA_FIELD_MISMATCH({ op, field: name, expected: String(use), actual: String(given) })
  }
  return {
    op,
    opcode: row.opcode,
    dst: field('dst', operands.dst),
    src: field('src', operands.src),
    off: field('off', operands.off),
    imm: signed32(op, field('imm', low ?? operands.imm)),
    nextImm: row.wide ? high : undefined,
  }
}

function signed32(op: OpName, imm: number): number {
  if (Number.isInteger(imm) && imm >= -0x8000_0000 && imm <= 0xffff_ffff) return imm | 0
  throw errors.ISA_FIELD_RANGE({ op, field: 'imm', expected: 'an integer of 32 bits', actual: String(imm) })
}

/**
 * Slots that an instruction fills: 2 for a wide one, 1 for all others.
 *
 * @example
 * ```ts
 * import { makeInsn, slotsOf } from '@tsbpf/isa'
 * console.log(slotsOf(makeInsn('lddw', { imm64: 1n }))) // 2
 * ```
 */
export function slotsOf(insn: Insn): 1 | 2 {
  return insn.nextImm === undefined ? 1 : 2
}

/**
 * The 64-bit immediate of a wide instruction, unsigned; of another instruction its `imm`, sign-extended to 64 bits.
 *
 * @example
 * ```ts
 * import { imm64Of, makeInsn } from '@tsbpf/isa'
 * console.log(imm64Of(makeInsn('lddw', { imm64: 5n }))) // 5n
 * ```
 */
export function imm64Of(insn: Insn): bigint {
  return insn.nextImm === undefined ? BigInt.asUintN(64, BigInt(insn.imm)) : joinImm64(insn.imm, insn.nextImm)
}
