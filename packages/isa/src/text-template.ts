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
  /**
   * Name of what an instruction is about, printed instead of the number: the helper, kfunc or subprogram that it calls, the
   * map or symbol whose address it loads, the place that it jumps to. `index` is its slot where {@link disassemble}
   * prints it. Without a name the number is printed.
   */
  readonly operandName?: (insn: Insn, index: number | undefined) => string | undefined
  /** For `verifier`: name of a helper without `bpf_`; the names of `@tsbpf/uapi` unless given. */
  readonly helperName?: (id: number) => string | undefined
  /** For `verifier`: name of a kfunc by the BTF id in `imm` and the index in `off`; `kernel-function` unless given. */
  readonly kfuncName?: (btfId: number, off: number) => string | undefined
}

/** How a dialect prints each operand. */
export type OperandPrinters = Readonly<
  Partial<Record<Operand, (insn: Insn, options: FormatOptions) => string>>
>

/** Prints one instruction; `index` is its slot, where it is known. */
export type InsnPrinter = (insn: Insn, options: FormatOptions, index?: number) => string

/** Operands that a name may stand for. */
const nameable: ReadonlySet<string> = new Set<Operand>([
  'imm64',
  'uimm64',
  'jump',
  'jump32',
  'callee',
  'helper',
  'kfunc',
])

/**
 * Turns a template into a printer: `r{dst} += {imm}` is text, operand, text, operand.
 * Everything is resolved here, once for each row, so that printing only joins strings.
 */
export function compileTemplate(template: string, printers: OperandPrinters): InsnPrinter {
  const parts = template.split(/[{}]/)
  const texts = parts.filter((_, i) => i % 2 === 0)
  const operands = parts
    .filter((_, i) => i % 2 === 1)
    .map((name): InsnPrinter => {
      const print = printers[name as Operand]
      if (print === undefined) throw new RangeError(`the dialect prints no operand ${name} of ${template}`)
      if (!nameable.has(name)) return print
      return (insn, options, index) => options.operandName?.(insn, index) ?? print(insn, options)
    })
  const [first = '', second = '', third = '', fourth = ''] = texts
  const [a, b, c, ...others] = operands
  // A loop over operands takes twice as long.
  if (a === undefined) return () => first
  if (b === undefined) return (insn, options, index) => first + a(insn, options, index) + second
  if (c === undefined)
    return (insn, options, index) =>
      first + a(insn, options, index) + second + b(insn, options, index) + third
  return (insn, options, index) => {
    let text =
      first +
      a(insn, options, index) +
      second +
      b(insn, options, index) +
      third +
      c(insn, options, index) +
      fourth
    for (let i = 0; i < others.length; i++)
      text += (others[i]?.(insn, options, index) ?? '') + (texts[i + 4] ?? '')
    return text
  }
}

/** `5` as `+5`, `-3` as `-3`. */
export const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`)

/** Numbers below this many are printed from a table. */
const tabled = 0x1000
const hexTable: readonly string[] = /* @__PURE__ */ Array.from(
  { length: tabled },
  (_, value) => `0x${value.toString(16)}`,
)

/** `5` as `0x5`, `-3` as `-0x3`. */
export const signedHex = (value: number | bigint): string => {
  if (value < 0) return `-${signedHex(-value)}`
  return (typeof value === 'number' ? hexTable[value] : undefined) ?? `0x${value.toString(16)}`
}
