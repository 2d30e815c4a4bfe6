import type { Insn, InsnRow, OpName } from '@tsbpf/isa'
import { makeInsn } from '@tsbpf/isa'
import { arithmeticResult, atomicResult, isTaken, loaded, stored } from './rfc-values.ts'

/** What an instruction is given (its dst or the memory it names, its src, r0), and what must be there afterwards. */
export interface Case {
  readonly insn: Insn
  readonly given: readonly [dst: bigint, src: bigint, r0: bigint]
  readonly expected: readonly [dst: bigint, src: bigint, r0: bigint]
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

/** Zero, the ends of every width and their neighbours, counts beyond a width, and bytes that tell their places. */
const edges: readonly bigint[] = [
  0n,
  1n,
  2n,
  31n,
  32n,
  33n,
  63n,
  64n,
  65n,
  0x7fn,
  0x80n,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1122_3344_5566_7788n,
  0x8877_6655_4433_2211n,
  (1n << 63n) - 1n,
  1n << 63n,
  u64(-0x8000_0000n),
  u64(-2n),
  u64(-1n),
]
const immediates = [0, 1, 2, 31, 32, 33, 63, 0x7fff, 0x7fff_ffff, -0x8000_0000, -0x7fff_ffff, -2, -1]

/** Registers of every case: the verifier takes them for unknown numbers, or for the address of 8 bytes of the stack. */
const registers = { dst: 2, src: 3, frame: 10, context: 6 } as const
const slot = -8

/** Immediates that kernel/bpf/verifier.c, check_alu_op, refuses: counts beyond the width, and division by zero. */
function allowed(op: string, imm: number): boolean {
  if (/^s?(div|mod)/.test(op)) return imm !== 0
  if (/^a?(lsh|rsh)/.test(op)) return imm >= 0 && imm < (op.includes('32_') ? 32 : 64)
  return true
}

const extended = (imm: number): bigint => u64(BigInt(imm))

/** Every pair of edges, or every edge with every immediate; empty for rows that are no function of registers and memory. */
export function casesOf(row: InsnRow<OpName>): readonly Case[] {
  const { name } = row
  const { dst, src, frame } = registers
  const isImm = row.imm === 'any' && row.src !== 'any'
  const seconds = isImm
    ? immediates.filter((imm) => allowed(name, imm)).map((imm) => ({ imm, b: extended(imm) }))
    : edges.map((b) => ({ imm: undefined, b }))
  const cases: Case[] = []
  for (const [i, a] of edges.entries()) {
    for (const [j, { imm, b }] of seconds.entries()) {
      // r0 equals the memory in every second case: an exchange that compares must do both.
      const r0 = (i + j) % 2 === 0 ? a : b
      const given = [a, isImm ? 0n : b, r0] as const
      const unchanged = given[1]
      const operands = imm === undefined ? {} : { imm }
      const made = (fields: object): Insn => makeInsn(name, { ...operands, ...fields })
      const add = (insn: Insn, expected: Case['expected']): void => void cases.push({ insn, given, expected })
      const value = arithmeticResult(name, a, b)
      const taken = isTaken(name, a, b)
      const load = loaded(name, a)
      const store = stored(name, a, b)
      const atomic = atomicResult(name, a, b, r0)
      const two = row.src === 'any' ? { dst, src } : { dst }
      if (value !== undefined) add(made(two), [value, unchanged, r0])
      // A jump over one instruction, which says that it was not taken.
      else if (taken !== undefined) add(made({ ...two, off: 1 }), [a, unchanged, taken ? 1n : 0n])
      else if (load !== undefined) add(made({ dst: src, src: frame, off: slot }), [a, load, r0])
      else if (store !== undefined)
        add(made({ dst: frame, off: slot, ...(isImm ? {} : { src }) }), [store, unchanged, r0])
      else if (atomic !== undefined)
        add(made({ dst: frame, src, off: slot }), [atomic.memory, atomic.src, atomic.r0])
    }
  }
  return cases
}

const place = 48
const kinds = { memory: /^(ldx|st|atomic|load_acq|store_rel)/, jump: 'j' }

/** One program that runs all cases: its context has dst, src and r0 of each before and after it. */
export function programOf(cases: readonly Case[]): readonly Insn[] {
  const { dst, src, frame, context } = registers
  const insns: Insn[] = [makeInsn('mov64_reg', { dst: context, src: 1 })]
  for (const [i, { insn }] of cases.entries()) {
    const at = i * place
    insns.push(
      makeInsn('ldxdw', { dst, src: context, off: at }),
      makeInsn('ldxdw', { dst: src, src: context, off: at + 8 }),
      makeInsn('ldxdw', { dst: 0, src: context, off: at + 16 }),
    )
    if (kinds.memory.test(insn.op))
      insns.push(
        makeInsn('stxdw', { dst: frame, src: dst, off: slot }),
        insn,
        makeInsn('ldxdw', { dst, src: frame, off: slot }),
      )
    else if (insn.op.startsWith(kinds.jump))
      insns.push(makeInsn('mov64_imm', { dst: 0, imm: 1 }), insn, makeInsn('mov64_imm', { dst: 0 }))
    else insns.push(insn)
    insns.push(
      makeInsn('stxdw', { dst: context, src: dst, off: at + 24 }),
      makeInsn('stxdw', { dst: context, src, off: at + 32 }),
      makeInsn('stxdw', { dst: context, src: 0, off: at + 40 }),
    )
  }
  return [...insns, makeInsn('mov64_imm'), makeInsn('exit')]
}

/** The context for {@link programOf}; `read` gives what the program left in it. */
export function contextOf(cases: readonly Case[]): {
  readonly bytes: Uint8Array
  read(): readonly Case['expected'][]
} {
  const bytes = new Uint8Array(cases.length * place)
  const view = new DataView(bytes.buffer)
  for (const [i, { given }] of cases.entries())
    for (const [j, value] of given.entries()) view.setBigUint64(i * place + j * 8, value, true)
  const at = (i: number, j: number): bigint => view.getBigUint64(i * place + 24 + j * 8, true)
  return { bytes, read: () => cases.map((_, i) => [at(i, 0), at(i, 1), at(i, 2)]) }
}

/** Cases that fit a context: the offsets of loads are positive numbers of 16 bits. */
export const mostCases: number = Math.floor(0x7fff / place)
