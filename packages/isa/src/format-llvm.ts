import type { Insn } from './insn.ts'
import { rowOf } from './instruction-set.ts'
import { llvmCanName, llvmOperands, llvmRowOfRaw, llvmUnknown } from './llvm-text.ts'
import { rowPrinters } from './row-printers.ts'
import type { FormatOptions } from './text-template.ts'

const printerOf = /* @__PURE__ */ rowPrinters('llvm', llvmOperands)

/**
 * Text of one instruction as llvm-objdump prints it: {@link formatInsn} for that dialect alone, for pages that need no
 * other and would carry their tables. `index` is its slot, where it is known.
 *
 * @example
 * ```ts
 * import { formatLlvm, makeInsn } from '@tsbpf/isa'
 * console.log(formatLlvm(makeInsn('ldxdw', { dst: 1, src: 10, off: -8 }))) // r1 = *(u64 *)(r10 - 0x8)
 * ```
 */
export function formatLlvm(insn: Insn, options: FormatOptions = {}, index?: number): string {
  const row = insn.op === 'raw' ? llvmRowOfRaw(insn) : rowOf(insn.op)
  if (row === undefined || !llvmCanName(insn, row)) return llvmUnknown
  return printerOf(row.name)(insn, options, index)
}
