import type { InsnText } from './insn-row.ts'
import type { OpName } from './instruction-set.ts'
import { rowOf } from './instruction-set.ts'
import type { InsnPrinter, OperandPrinters } from './text-template.ts'
import { compileTemplate } from './text-template.ts'

/** Printers of a dialect's rows, compiled when a row is first printed. */
export function rowPrinters(
  dialect: Exclude<keyof InsnText, 'also'>,
  operands: OperandPrinters,
): (op: OpName) => InsnPrinter {
  const compiled = new Map<OpName, InsnPrinter>()
  return (op) => {
    let printer = compiled.get(op)
    if (printer === undefined) {
      printer = compileTemplate(rowOf(op).text[dialect], operands)
      compiled.set(op, printer)
    }
    return printer
  }
}
