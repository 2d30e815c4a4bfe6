import type { Insn, OpName } from '../../src/index.ts'

/** Where the text differs from a tool's on purpose, and why. */
export interface Disagreement {
  readonly ops: readonly OpName[]
  /** Command lines whose output differs. */
  readonly tools: readonly string[]
  /** What the tool prints; every text of these instructions matches. */
  readonly theirs: RegExp
  /** Only where this holds. */
  readonly when?: (insn: Insn) => boolean
  readonly why: string
}

const old = ['llvm-objdump-19', 'llvm-objdump-19 --mcpu=v1', 'llvm-objdump-19 --mcpu=v2']
const newer = ['llvm-objdump-19 --mcpu=v3', 'llvm-objdump-19 --mcpu=v4']
const unknown = /^<unknown>$/

export const disagreements: readonly Disagreement[] = [
  {
    ops: [
      'atomic_or32',
      'atomic_and32',
      'atomic_xor32',
      'atomic_fetch_or32',
      'atomic_fetch_and32',
      'atomic_fetch_xor32',
      'atomic_xchg32',
      'atomic_cmpxchg32',
    ],
    tools: [...old, 'llvm-objdump-14'],
    theirs: unknown,
    why:
      'Without --mcpu=v3 these tools do not know 32-bit atomic operations other than addition. They are printed as with it, ' +
      'which is also what LLVM 20 and later print by default: text that cannot be read back helps nobody.',
  },
  {
    ops: ['atomic_fetch_add32'],
    tools: [...old, 'llvm-objdump-14'],
    theirs: /^lock \*\(u32 \*\)/,
    why: 'As above, but worse: the tools ignore the bit that says fetch and print another instruction.',
  },
  {
    ops: ['load_acq_b', 'load_acq_h', 'store_rel_b', 'store_rel_h', 'store_rel_w', 'store_rel_dw'],
    tools: [...old, ...newer, 'llvm-objdump-14'],
    theirs: unknown,
    why: 'The instructions are younger than the tools. Printed as LLVM 22 prints them.',
  },
  {
    ops: ['load_acq_w', 'load_acq_dw'],
    tools: [...old, ...newer, 'llvm-objdump-14'],
    theirs: /^lock \*\(u(32|64) \*\)/,
    why: 'As above; the tools look at a few bits of imm only and print an addition.',
  },
  {
    ops: ['lddw_map_fd', 'lddw_map_value', 'lddw_btf_id', 'lddw_func', 'lddw_map_idx', 'lddw_map_idx_value'],
    tools: [...old, ...newer, 'llvm-objdump-14', 'llvm-objdump-22'],
    theirs: /^ld_pseudo/,
    when: (insn) => insn.nextImm !== 0,
    why:
      'The tools print the lower 32 bits only, so the offset into a map value is lost. All 64 bits are printed; ' +
      'where the upper half is zero, as in every map descriptor, that is the same.',
  },
  {
    ops: ['gotox'],
    tools: [...old, ...newer, 'llvm-objdump-14'],
    theirs: unknown,
    why: 'The instruction is younger than the tools. Printed as LLVM 22 prints it.',
  },
]

/** True where a tool's text of an instruction is known to differ. */
export function isKnown(insn: Insn, tool: string, theirs: string): boolean {
  return disagreements.some(
    ({ ops, tools, theirs: pattern, when }) =>
      (ops as readonly string[]).includes(insn.op) &&
      tools.includes(tool) &&
      pattern.test(theirs) &&
      when?.(insn) !== false,
  )
}
