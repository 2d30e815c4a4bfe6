import { conformanceOperands, conformanceRaw } from './conformance-text.ts'
import { formatLlvm } from './format-llvm.ts'
import { gnuOperands, gnuUnknown } from './gnu-text.ts'
import type { Insn } from './insn.ts'
import { rowPrinters } from './row-printers.ts'
import type { FormatOptions, InsnPrinter } from './text-template.ts'
import { opcodePrefix, verifierOperands, verifierUnknown } from './verifier-text.ts'

/**
 * A way to write instructions: `llvm` as llvm-objdump prints them and clang reads them, `verifier` as the kernel's log
 * prints them, `gnu` as GNU `as` reads and `objdump` prints them (its normal syntax), `conformance` as uBPF and the BPF conformance tests write them.
 */
export type Dialect = 'llvm' | 'verifier' | 'gnu' | 'conformance'

/**
 * Names of the dialects.
 *
 * @example
 * ```ts
 * import { dialects } from '@tsbpf/isa'
 * console.log(dialects.join(' ')) // llvm verifier gnu conformance
 * ```
 */
export const dialects: readonly Dialect[] = ['llvm', 'verifier', 'gnu', 'conformance']

const verifierPrinter = /* @__PURE__ */ rowPrinters('verifier', verifierOperands)
const gnuPrinter = /* @__PURE__ */ rowPrinters('gnu', gnuOperands)
const conformancePrinter = /* @__PURE__ */ rowPrinters('conformance', conformanceOperands)

const formatters: Readonly<Record<Dialect, InsnPrinter>> = {
  llvm: formatLlvm,
  verifier(insn, options, index) {
    if (insn.op === 'raw') return verifierUnknown(insn)
    return opcodePrefix(insn.opcode) + verifierPrinter(insn.op)(insn, options, index)
  },
  gnu(insn, options, index) {
    return insn.op === 'raw' ? gnuUnknown : gnuPrinter(insn.op)(insn, options, index)
  },
  conformance(insn, options, index) {
    return insn.op === 'raw' ? conformanceRaw(insn) : conformancePrinter(insn.op)(insn, options, index)
  },
}

/**
 * Text of one instruction in a dialect; pure, and the same on every host.
 *
 * Jumps print their distance; {@link disassemble} adds the symbol they reach. Judged by llvm-objdump 19 and 22, by
 * the kernel's log, and by objdump of binutils 2.40; where they are not followed, test/golden/disagreements.ts says why.
 *
 * @example
 * ```ts
 * import { formatInsn, makeInsn } from '@tsbpf/isa'
 * const insn = makeInsn('ldxdw', { dst: 1, src: 10, off: -8 })
 * console.log(formatInsn(insn, 'llvm')) // r1 = *(u64 *)(r10 - 0x8)
 * console.log(formatInsn(insn, 'verifier')) // (79) r1 = *(u64 *)(r10 -8)
 * ```
 */
export function formatInsn(insn: Insn, dialect: Dialect, options: FormatOptions = {}): string {
  return formatters[dialect](insn, options)
}

/** The printer of a dialect. */
export const formatterOf = (dialect: Dialect): InsnPrinter => formatters[dialect]
