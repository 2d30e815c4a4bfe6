import type { Insn } from '../insn.ts'
import { slotsOf } from '../insn.ts'
import { rowOf } from '../instruction-set.ts'

/** Where control goes from a block: on to the next instruction, or where a jump says. */
export interface FlowEdge {
  /** Index of a block. */
  readonly to: number
  readonly kind: 'next' | 'taken'
}

/** Instructions that run one after the other: control enters at the first and leaves after the last. */
export interface BasicBlock {
  /** Its place in `blocks`. */
  readonly index: number
  /** Slot of the first instruction, and the slot after the last. */
  readonly start: number
  readonly end: number
  /** Places of the first instruction and after the last in `insns`. */
  readonly first: number
  readonly last: number
  /** At most two; `next` first. */
  readonly successors: readonly FlowEdge[]
  /** Blocks that lead here, ascending; one that does so by both its edges is there once. */
  readonly predecessors: readonly number[]
  /** Slots that control would reach where no instruction begins: beyond the end, or inside a wide instruction. */
  readonly strays: readonly number[]
  /** True where a jump to an address in a register (`gotox`) ends the block: any block may follow. */
  readonly indirect: boolean
}

/** The basic blocks of one function; the first one is where it begins. */
export interface ControlFlow {
  /** The instructions, as they were given. */
  readonly insns: readonly Insn[]
  /** Slot where each instruction begins. */
  readonly slots: Uint32Array
  /** In the order of the instructions; those that nothing leads to are there too. */
  readonly blocks: readonly BasicBlock[]
  /** Block of an instruction, by its place in `insns`. */
  readonly blockOf: Uint32Array
}

/** The slot where each instruction begins, and at the end the number of slots. */
export function slotsOfAll(insns: readonly Insn[]): Uint32Array {
  const slots = new Uint32Array(insns.length + 1)
  for (const [i, insn] of insns.entries()) slots[i + 1] = (slots[i] ?? 0) + slotsOf(insn)
  return slots
}

/** The place of the instruction that begins at a slot; -1 for slots where none does. */
export function placesOfSlots(slots: Uint32Array): Int32Array {
  const places = new Int32Array(slots.at(-1) ?? 0).fill(-1)
  for (let i = 0; i + 1 < slots.length; i++) places[slots[i] ?? 0] = i
  return places
}

/** What follows an instruction within its function: a call comes back, and ends no block. */
function flowOf(insn: Insn): { readonly falls: boolean; readonly jump: number | undefined } {
  const { op } = insn
  if (op === 'exit' || op === 'gotox') return { falls: false, jump: undefined }
  if (op === 'ja') return { falls: false, jump: insn.off }
  if (op === 'gotol') return { falls: false, jump: insn.imm }
  const jumps = op !== 'raw' && op !== 'call_subprogram' && rowOf(op).target === 'off'
  return { falls: true, jump: jumps ? insn.off : undefined }
}

/**
 * Splits the instructions of one function into basic blocks and finds the edges between them; linear in their number.
 *
 * Jump distances are relative, so that a part of a program may be given: {@link callGraph} tells where its functions
 * begin. Calls do not end a block. A jump out of the instructions, or into the middle of one, is a stray; an empty list has
 * no blocks.
 *
 * @example
 * ```ts
 * import { controlFlow, parseInsns } from '@tsbpf/isa'
 * const { insns } = parseInsns('if r1 == 0 goto +1\nr0 = 1\nexit', { dialect: 'llvm' })
 * console.log(controlFlow(insns).blocks.map((block) => block.successors.map((edge) => edge.to))) // [[1, 2], [2], []]
 * ```
 */
export function controlFlow(insns: readonly Insn[]): ControlFlow {
  const slots = slotsOfAll(insns)
  const places = placesOfSlots(slots)
  const count = insns.length
  const leads = new Uint8Array(count + 1)
  leads[0] = 1
  for (const [i, insn] of insns.entries()) {
    const { falls, jump } = flowOf(insn)
    const to = jump === undefined ? -1 : (places[(slots[i + 1] ?? 0) + jump] ?? -1)
    if (to >= 0) leads[to] = 1
    if (!falls || jump !== undefined) leads[i + 1] = 1
  }
  const blockOf = new Uint32Array(count)
  const starts: number[] = []
  for (let i = 0; i < count; i++) {
    if (leads[i] === 1) starts.push(i)
    blockOf[i] = starts.length - 1
  }
  const predecessors = starts.map((): number[] => [])
  const blocks = starts.map((first, index): BasicBlock => {
    const last = starts[index + 1] ?? count
    const insn = insns[last - 1]
    const after = slots[last] ?? 0
    const successors: FlowEdge[] = []
    const strays: number[] = []
    const lead = (slot: number, kind: FlowEdge['kind']): void => {
      const place = places[slot] ?? -1
      const to = blockOf[place]
      if (to === undefined) {
        strays.push(slot)
        return
      }
      successors.push({ to, kind })
      const from = predecessors[to]
      if (from?.at(-1) !== index) from?.push(index)
    }
    const { falls, jump } = insn === undefined ? { falls: true, jump: undefined } : flowOf(insn)
    if (falls) lead(after, 'next')
    if (jump !== undefined) lead(after + jump, 'taken')
    return {
      index,
      start: slots[first] ?? 0,
      end: after,
      first,
      last,
      successors,
      predecessors: predecessors[index] ?? [],
      strays,
      indirect: insn?.op === 'gotox',
    }
  })
  return { insns, slots: slots.subarray(0, count), blocks, blockOf }
}
