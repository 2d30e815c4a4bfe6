import type { Insn } from '../insn.ts'
import { rowOf } from '../instruction-set.ts'
import { insnClassOf } from '../opcode.ts'

/** Registers that an instruction reads and writes, a bit for each: bit 3 is r3. */
export interface RegisterUse {
  readonly reads: number
  /** What is there afterwards is another value, or none that may be read. */
  readonly writes: number
}

/** Options of {@link registerUse}. */
export interface RegisterUseOptions {
  /** Number of arguments that a call takes, from 0 to 5; where it is not known, 5 are counted. */
  readonly argumentsOf?: (insn: Insn) => number | undefined
}

const bit = (register: number): number => 1 << register
const result = bit(0)
/** r1 to r5: calls take their arguments there, and leave nothing in them (RFC 9669 section 2.1). */
const argumentRegisters = 0b11_1110
/** r0 to r10. */
const allRegisters = 0x7ff
/** Packet loads read the context from r6, and leave no more of r1 to r5 than a call does (section 5.5). */
const packetContext = bit(6)
const mostArguments = 5

/**
 * The registers that an instruction reads and writes, as bits. A raw slot is taken to read all of them.
 *
 * @example
 * ```ts
 * import { makeInsn, registerUse } from '@tsbpf/isa'
 * console.log(registerUse(makeInsn('add64_reg', { dst: 1, src: 2 }))) // reads 0b110, writes 0b010
 * ```
 */
export function registerUse(insn: Insn, options: RegisterUseOptions = {}): RegisterUse {
  const { op } = insn
  if (op === 'raw') return { reads: allRegisters, writes: 0 }
  const row = rowOf(op)
  const dst = row.dst === 'any' ? bit(insn.dst) : 0
  const src = row.src === 'any' ? bit(insn.src) : 0
  if (op.startsWith('call')) {
    const count = options.argumentsOf?.(insn) ?? mostArguments
    return { reads: (argumentRegisters & (bit(count + 1) - 1)) | dst, writes: result | argumentRegisters }
  }
  switch (insnClassOf(row.opcode)) {
    case 'alu':
    case 'alu64': {
      const replaces = op.startsWith('mov') || op === 'addr_space_cast'
      return { reads: src | (replaces ? 0 : dst), writes: dst }
    }
    case 'ld':
      return row.wide
        ? { reads: 0, writes: dst }
        : { reads: src | packetContext, writes: result | argumentRegisters }
    case 'ldx':
      return { reads: src, writes: dst }
    case 'st':
      return { reads: dst, writes: 0 }
    case 'stx':
      if (op.startsWith('load_acq')) return { reads: src, writes: dst }
      if (op.startsWith('atomic_cmpxchg')) return { reads: dst | src | result, writes: result }
      return { reads: dst | src, writes: /^atomic_(fetch|xchg)/.test(op) ? src : 0 }
    case 'jmp':
    case 'jmp32':
      return { reads: op === 'exit' ? result : dst | src, writes: 0 }
  }
}
