import { defineErrors } from '@tsbpf/base'
import { shownTextProblems } from './limits.ts'
import type { TextProblem } from './text-problem.ts'
import { describeProblem } from './text-problem.ts'

interface Place {
  /** What was read, such as `insns[3]`. */
  readonly path: string
  /** Bytes from the start of the instructions. */
  readonly offset: number
  readonly expected: string
  readonly actual: string
}

/** Errors of this package, by code. */
export const errors = defineErrors({
  /** The bytes end inside an 8-byte slot, or inside a wide instruction. */
  ISA_TRUNCATED: {
    message: (c: Place) => `${c.path} at byte ${c.offset}: expected ${c.expected}, got ${c.actual}`,
    hint: 'instructions are 8 bytes each and wide ones 16: check where the function starts and ends',
  },
  /** An instruction index beyond the instructions. */
  ISA_NO_SUCH_SLOT: {
    message: (c: Place) => `${c.path} at byte ${c.offset}: expected ${c.expected}, got ${c.actual}`,
    hint: 'instruction indexes count 8-byte slots of one function, from 0',
  },
  /** A wide instruction was asked for where there is none. */
  ISA_NOT_WIDE: {
    message: (c: Place) => `${c.path} at byte ${c.offset}: expected ${c.expected}, got ${c.actual}`,
    hint: 'only a wide instruction (opcode 0x18) has a 64-bit immediate',
  },
  /** A number that does not fit its field. */
  ISA_FIELD_RANGE: {
    message: (c: {
      readonly op: string
      readonly field: string
      readonly expected: string
      readonly actual: string
    }) => `${c.field} of ${c.op} is ${c.actual}, expected ${c.expected}`,
    hint: 'dst and src have 4 bits, off has 16 and imm has 32; use a wide instruction for 64',
  },
  /** Fields that say another instruction than `op` does. */
  ISA_FIELD_MISMATCH: {
    message: (c: {
      readonly op: string
      readonly field: string
      readonly expected: string
      readonly actual: string
    }) => `${c.field} of ${c.op} is ${c.actual}, expected ${c.expected}`,
    hint: 'make instructions with makeInsn(op, operands): it sets the fields that an operation fixes',
  },
  /** Text that is no instruction of its dialect; `problems` has every place. */
  ISA_TEXT: {
    message: (c: {
      readonly path: string
      readonly dialect: string
      readonly problems: readonly TextProblem[]
    }) => {
      const more = c.problems.length - shownTextProblems
      return [
        ...c.problems.slice(0, shownTextProblems).map((problem) => describeProblem(c.path, problem)),
        ...(more > 0 ? [`and ${more} more`] : []),
      ].join('\n')
    },
    hint: (c: { readonly dialect: string; readonly problems: readonly TextProblem[] }) => {
      const near = c.problems.find((problem) => problem.suggestion !== undefined)
      return near === undefined
        ? `the text was read as dialect ${c.dialect}; see formatInsn for how it writes each instruction`
        : `line ${near.line}: did you mean ${near.suggestion}?`
    },
  },
})
