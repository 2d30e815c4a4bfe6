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

const cpus = ['v1', 'v2', 'v3', 'v4']
const of = (tool: string, levels: readonly string[]): readonly string[] =>
  levels.map((cpu) => `${tool} --mcpu=${cpu}`)

const oldest = ['llvm-objdump-14', ...of('llvm-objdump-14', ['v1', 'v2', 'v3'])]
const old = ['llvm-objdump-19', ...of('llvm-objdump-19', ['v1', 'v2'])]
const newer = of('llvm-objdump-19', ['v3', 'v4'])
const newestWithout32 = of('llvm-objdump-22', ['v1', 'v2'])
const newest = ['llvm-objdump-22', ...of('llvm-objdump-22', cpus)]
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
    tools: [...old, ...oldest, ...newestWithout32],
    theirs: unknown,
    why:
      'Without --mcpu=v3, or told of v1 or v2, these tools do not know 32-bit atomic operations other than addition. They are printed as with it, ' +
      'which is also what LLVM 20 and later print by default: text that cannot be read back helps nobody.',
  },
  {
    ops: ['atomic_fetch_add32'],
    tools: [...old, ...oldest, ...newestWithout32],
    theirs: /^lock \*\(u32 \*\)/,
    why: 'As above, but worse: the tools ignore the bit that says fetch and print another instruction.',
  },
  {
    ops: ['store_rel_dw'],
    tools: [...old, ...newer, ...oldest],
    theirs: unknown,
    why: 'The instruction is younger than the tools. Printed as LLVM 22 prints it.',
  },
  {
    ops: ['load_acq_b', 'load_acq_h', 'store_rel_b', 'store_rel_h', 'store_rel_w'],
    tools: [...old, ...newer, ...oldest, ...newestWithout32],
    theirs: unknown,
    why: 'As above; LLVM 22 knows the 32-bit ones only where 32-bit registers are.',
  },
  {
    ops: ['load_acq_w'],
    tools: [...old, ...newer, ...oldest, ...newestWithout32],
    theirs: /^lock \*\(u32 \*\)/,
    why: 'As above; the tools look at a few bits of imm only and print an addition.',
  },
  {
    ops: ['load_acq_dw'],
    tools: [...old, ...newer, ...oldest],
    theirs: /^lock \*\(u64 \*\)/,
    why: 'As above; the tools look at a few bits of imm only and print an addition.',
  },
  {
    ops: ['lddw_map_fd', 'lddw_map_value', 'lddw_btf_id', 'lddw_func', 'lddw_map_idx', 'lddw_map_idx_value'],
    tools: [...old, ...newer, ...oldest, ...newest],
    theirs: /^ld_pseudo/,
    when: (insn) => insn.nextImm !== 0,
    why:
      'The tools print the lower 32 bits only, so the offset into a map value is lost. All 64 bits are printed; ' +
      'where the upper half is zero, as in every map descriptor, that is the same.',
  },
  {
    ops: ['gotox'],
    tools: [...old, ...newer, ...oldest],
    theirs: unknown,
    why: 'The instruction is younger than the tools. Printed as LLVM 22 prints it.',
  },
]

/** Rows that objdump of binutils 2.40 knows nothing of, or takes for another: its text of them is not followed. */
export const gnuDisagreements: readonly Omit<Disagreement, 'tools'>[] = [
  {
    ops: [
      'bswap16',
      'bswap32',
      'bswap64',
      'ldxsb',
      'ldxsh',
      'ldxsw',
      'load_acq_b',
      'load_acq_h',
      'store_rel_b',
      'store_rel_h',
      'gotol',
      'gotox',
      'may_goto',
      'callx',
    ],
    theirs: /^\*unknown\*$/,
    why: 'The instructions are younger than the tool.',
  },
  {
    ops: [
      ...(['sdiv', 'smod'] as const).flatMap(
        (name) =>
          [`${name}64_imm`, `${name}64_reg`, `${name}32_imm`, `${name}32_reg`] as const,
      ),
      'movsx64_8',
      'movsx64_16',
      'movsx64_32',
      'movsx32_8',
      'movsx32_16',
      'addr_space_cast',
    ],
    theirs: /^(div|mod|mov)(32)? /,
    why: 'The tool does not look at the field off, and prints an instruction that is not there.',
  },
  {
    ops: [
      ...([32, 64] as const).flatMap(
        (width) =>
          [
            `atomic_or${width}`,
            `atomic_and${width}`,
            `atomic_xor${width}`,
            `atomic_fetch_add${width}`,
            `atomic_fetch_or${width}`,
            `atomic_fetch_and${width}`,
            `atomic_fetch_xor${width}`,
            `atomic_xchg${width}`,
            `atomic_cmpxchg${width}`,
          ] as const,
      ),
      'load_acq_w',
      'load_acq_dw',
      'store_rel_w',
      'store_rel_dw',
    ],
    theirs: /^xadd(w|dw) /,
    why: 'The tool does not look at the operation in imm, and prints an addition.',
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
