import type { ControlFlow } from './control-flow.ts'
import { registerUse } from './register-use.ts'
import type { RegisterUseOptions } from './register-use.ts'

/** Which registers hold a value that may still be read, a bit for each: bit 3 is r3. */
export interface Liveness {
  /** Before each instruction, by its place. */
  readonly before: Uint16Array
  /** After each instruction. */
  readonly after: Uint16Array
}

/**
 * Finds the live registers before and after each instruction, with a list of blocks that are still to be looked at. Each
 * register can become live once in a block, so that it is linear in instructions and edges. After an indirect jump all
 * registers are taken to be live.
 *
 * @example
 * ```ts
 * import { controlFlow, liveness, parseInsns } from '@tsbpf/isa'
 * const { insns } = parseInsns('r0 = r1\nr0 += r2\nexit', { dialect: 'llvm' })
 * console.log([...liveness(controlFlow(insns)).before]) // r1 and r2; r0 and r2; r0: [6, 5, 1]
 * ```
 */
export function liveness(flow: ControlFlow, options: RegisterUseOptions = {}): Liveness {
  const { insns, blocks } = flow
  const uses = insns.map((insn) => registerUse(insn, options))
  const all = 0xffff
  /** What a block reads before it writes it, and what it writes: its instructions are looked at once. */
  const reads = new Uint16Array(blocks.length)
  const kept = new Uint16Array(blocks.length)
  for (const { index, first, last } of blocks) {
    let read = 0
    let keep = all
    for (let i = last - 1; i >= first; i--) {
      const use = uses[i] ?? { reads: 0, writes: 0 }
      read = (read & ~use.writes) | use.reads
      keep &= ~use.writes
    }
    reads[index] = read
    kept[index] = keep
  }
  const ins = reads.slice()
  const outs = new Uint16Array(blocks.length)
  const waiting = Uint8Array.from(blocks, () => 1)
  const list = blocks.map(({ index }) => index)
  for (let index = list.pop(); index !== undefined; index = list.pop()) {
    waiting[index] = 0
    const block = blocks[index]
    if (block === undefined) continue
    let out = block.indirect ? all : 0
    for (const { to } of block.successors) out |= ins[to] ?? 0
    outs[index] = out
    const live = (reads[index] ?? 0) | (out & (kept[index] ?? 0))
    if (live === ins[index]) continue
    ins[index] = live
    for (const from of block.predecessors) {
      if (waiting[from] === 1) continue
      waiting[from] = 1
      list.push(from)
    }
  }
  const before = new Uint16Array(insns.length)
  const after = new Uint16Array(insns.length)
  for (const { index, first, last } of blocks) {
    let live = outs[index] ?? 0
    for (let i = last - 1; i >= first; i--) {
      const use = uses[i] ?? { reads: 0, writes: 0 }
      after[i] = live
      before[i] = live = (live & ~use.writes) | use.reads
    }
  }
  return { before, after }
}
