import type { OpName } from '@tsbpf/isa'

/**
 * How much of the instruction set may be used, as compilers number it (`clang -mcpu`). `v2` has unsigned and signed
 * less-than jumps (Linux 4.14), `v3` 32-bit jumps and arithmetic and atomic operations beyond addition (5.1, atomics
 * 5.12), `v4` signed division, sign extension, unconditional byte swaps and long jumps (6.6), and all that is newer.
 */
export type CpuLevel = 'v1' | 'v2' | 'v3' | 'v4'

/** Rows above v1; the first that matches counts. LLVM's BPFSubtarget and GNU as agree on them. */
const levels: readonly (readonly [RegExp, CpuLevel])[] = [
  [/^(s(div|mod)|movsx|bswap|ldxs|load_acq|store_rel|goto[lx]|may_goto|addr_space_cast|callx)/, 'v4'],
  [/32(_imm|_reg)?$/, 'v3'],
  [/^atomic_(?!add)/, 'v3'],
  [/^js?l[te]_/, 'v2'],
]

const baseWithWidth = /^(be|le|atomic_add)32$/

/**
 * The lowest level that has an instruction.
 *
 * @example
 * ```ts
 * import { cpuLevelOf } from '@tsbpf/asm'
 * console.log(cpuLevelOf('jlt_imm'), cpuLevelOf('sdiv64_reg')) // v2 v4
 * ```
 */
export function cpuLevelOf(op: OpName): CpuLevel {
  if (baseWithWidth.test(op)) return 'v1'
  return levels.find(([pattern]) => pattern.test(op))?.[1] ?? 'v1'
}
