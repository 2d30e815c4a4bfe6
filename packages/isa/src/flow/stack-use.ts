import type { Insn } from '../insn.ts'
import type { CallGraph } from './call-graph.ts'
import { controlFlow } from './control-flow.ts'
import { registerUse } from './register-use.ts'

/** How much stack a program needs. */
export interface StackUse {
  /** For each function of the call graph the bytes below r10 that it uses: a multiple of 8. */
  readonly own: readonly number[]
  /** False for a function that adds to a frame's address what is not known here. */
  readonly exact: readonly boolean[]
  /**
   * The deepest chain of calls from the first function on, with the bytes that it needs: each frame rounded up, as the
   * kernel does. `undefined` where functions call themselves, or there are none.
   */
  readonly deepest: { readonly bytes: number; readonly functions: readonly number[] } | undefined
}

/** Options of {@link stackUse}. */
export interface StackUseOptions {
  /**
   * What a frame is rounded up to: 16 unless given, as for programs that are compiled to machine code (kernel/bpf/verifier.c,
   * round_up_stack_depth; Linux 6.7), and 32 for those that are interpreted.
   */
  readonly roundTo?: 16 | 32
}

const framePointer = 10
const lastArgument = 5
/** The kernel keeps stack by slots of this many bytes. */
const stackSlot = 8
/** A frame's address plus something; `undefined` for all other values, NaN for an unknown distance. */
type Offsets = (number | undefined)[]

function step(insn: Insn, offsets: Offsets): void {
  const { op, dst, src } = insn
  const from = offsets[src]
  const own = offsets[dst]
  for (let register = 0; register < framePointer; register++)
    if ((registerUse(insn).writes & (1 << register)) !== 0) offsets[register] = undefined
  if (op === 'mov64_reg') offsets[dst] = from
  else if (op === 'add64_imm' && own !== undefined) offsets[dst] = own + insn.imm
  else if (op === 'sub64_imm' && own !== undefined) offsets[dst] = own - insn.imm
  // What is not a number known here may be anything.
  else if ((op === 'add64_reg' || op === 'sub64_reg') && (own !== undefined || from !== undefined))
    offsets[dst] = NaN
}

function accessOf({ op, dst, src, off }: Insn): { readonly base: number; readonly off: number } | undefined {
  if (/^(ldx|load_acq)/.test(op)) return { base: src, off }
  return /^(st|atomic)/.test(op) ? { base: dst, off } : undefined
}

/** Bytes below r10 that a function's own loads, stores and calls name. */
function frameOf(insns: readonly Insn[]): { readonly bytes: number; readonly exact: boolean } {
  let bytes = 0
  let exact = true
  const touch = (at: number): void => {
    if (Number.isNaN(at)) exact = false
    else if (at < 0) bytes = Math.max(bytes, Math.ceil(-at / stackSlot) * stackSlot)
  }
  // Addresses are followed from block to block where only one leads to the next, which is how compilers use them.
  const { blocks } = controlFlow(insns)
  const ends: Offsets[] = []
  for (const { index, first, last, predecessors } of blocks) {
    const [only = index] = predecessors
    const before = predecessors.length === 1 && only < index ? ends[only] : undefined
    const offsets: Offsets = before === undefined ? [] : [...before]
    offsets[framePointer] = 0
    for (let i = first; i < last; i++) {
      const insn = insns[i]
      if (insn === undefined) continue
      const access = accessOf(insn)
      const base = access === undefined ? undefined : offsets[access.base]
      if (access !== undefined && base !== undefined) touch(base + access.off)
      // What a call is given it may use; how much of it lies above the address does not count.
      if (insn.op.startsWith('call'))
        for (let register = 1; register <= lastArgument; register++) {
          const given = offsets[register]
          if (given !== undefined) touch(given)
        }
      step(insn, offsets)
    }
    ends[index] = offsets
  }
  return { bytes, exact }
}

/**
 * Counts the stack that the functions of a program use, and its deepest chain of calls; linear in the instructions.
 *
 * A function uses what lies below r10 down to the lowest address that it reads or writes, or gives to a call; in whole slots
 * of 8 bytes, as the verifier counts (`stack depth` in its log at level 4). It allows 512 bytes and 8 frames in a chain
 * (kernel/bpf/verifier.c, check_max_stack_depth), and to each function of tracing programs 512 bytes of its own where the
 * machine can do so (Linux 6.13). Callbacks count as calls.
 *
 * @example
 * ```ts
 * import { callGraph, parseInsns, stackUse } from '@tsbpf/isa'
 * const { insns } = parseInsns('*(u64 *)(r10 - 24) = r1\nr0 = 0\nexit', { dialect: 'llvm' })
 * console.log(stackUse(callGraph(insns)).deepest) // bytes: 32, functions: [0]
 * ```
 */
export function stackUse(
  { insns, functions, order, recursive }: CallGraph,
  options: StackUseOptions = {},
): StackUse {
  const { roundTo = 16 } = options
  const frames = functions.map(({ first, last }) => frameOf(insns.slice(first, last)))
  const own = frames.map(({ bytes }) => bytes)
  const exact = frames.map((frame) => frame.exact)
  if (recursive || functions.length === 0) return { own, exact, deepest: undefined }
  // Callees first, so that each function's deepest callee is known.
  const below = new Float64Array(functions.length)
  const next = new Int32Array(functions.length).fill(-1)
  for (const index of order.toReversed()) {
    let most = 0
    for (const { to } of functions[index]?.calls ?? []) {
      if ((below[to] ?? 0) <= most && next[index] !== -1) continue
      most = below[to] ?? 0
      next[index] = to
    }
    // A frame is there even where nothing of it is used.
    below[index] = most + Math.ceil(Math.max(own[index] ?? 0, roundTo === 32 ? 1 : 0) / roundTo) * roundTo
  }
  const chain: number[] = []
  for (let index = 0; index >= 0; index = next[index] ?? -1) chain.push(index)
  return { own, exact, deepest: { bytes: below[0] ?? 0, functions: chain } }
}
