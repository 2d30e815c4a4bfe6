import type { Insn } from './insn.ts'

/** Operands that a template may name in braces. Each dialect prints those that its templates use. */
export type Operand =
  | 'dst'
  | 'src'
  | 'imm'
  | 'uimm'
  | 'imm64'
  | 'uimm64'
  | 'imm_hi16'
  | 'imm_lo16'
  | 'off'
  | 'jump'
  | 'jump32'
  | 'label32'
  | 'callee'
  | 'helper'
  | 'kfunc'
  | 'module'
  | 'r32'
  | 'pseudo'

/** Options of printing; each says which dialect it is for. */
export interface FormatOptions {
  /**
   * For `llvm`: prints the registers of 32-bit loads and stores as `w1`, as llvm-objdump does with `--mcpu=v3` or `v4`,
   * and from LLVM 20 on without being told. False unless given: `r1`, as llvm-objdump 19 prints them.
   */
  readonly alu32?: boolean
  /** For `verifier`: name of a helper without `bpf_`; the names of `@tsbpf/uapi` unless given. */
  readonly helperName?: (id: number) => string | undefined
  /** For `verifier`: name of a kfunc by the BTF id in `imm` and the index in `off`; `kernel-function` unless given. */
  readonly kfuncName?: (btfId: number, off: number) => string | undefined
}

/** How a dialect prints each operand. */
export type OperandPrinters = Readonly<
  Partial<Record<Operand, (insn: Insn, options: FormatOptions) => string>>
>

/** Prints one instruction. */
export type InsnPrinter = (insn: Insn, options: FormatOptions) => string

/**
 * Turns a template into a printer: `r{dst} += {imm}` is text, operand, text, operand.
 * Everything is resolved here, once for each row, so that printing only joins strings.
 */
export function compileTemplate(template: string, printers: OperandPrinters): InsnPrinter {
  const parts = template.split(/[{}]/)
  const texts = parts.filter((_, i) => i % 2 === 0)
  const operands = parts
    .filter((_, i) => i % 2 === 1)
    .map((name) => {
      const print = printers[name as Operand]
      if (print === undefined) throw new RangeError(`the dialect prints no operand ${name} of ${template}`)
      return print
    })
  const [first = ''] = texts
  return (insn, options) => {
    let text = first
    for (let i = 0; i < operands.length; i++)
      text += (operands[i]?.(insn, options) ?? '') + (texts[i + 1] ?? '')
    return text
  }
}

/** `5` as `+5`, `-3` as `-3`. */
export const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`)

/** `5` as `0x5`, `-3` as `-0x3`. */
export const signedHex = (value: number | bigint): string =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
