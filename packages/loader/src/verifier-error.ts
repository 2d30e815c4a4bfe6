import { TsbpfError } from '@tsbpf/base'
import type { InsnIndex } from '@tsbpf/base'
import { poisonImm } from '@tsbpf/core-reloc'
import type { CoreResult } from '@tsbpf/core-reloc'
import type { LinkedProgram } from '@tsbpf/object'
import { rows } from './errors.ts'
import { isPoison, summarizeLog } from './verifier-log.ts'

/** A place in the source of a program. */
export interface SourceLine {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** Column from 1; `undefined` where only the log tells the line. */
  readonly column: number | undefined
  readonly text: string
}

/** What the kernel's verifier said about a program, and about which one. */
export interface Refusal {
  readonly linked: LinkedProgram
  /** Relocations of the load, to recognise one that was poisoned. */
  readonly relocations: readonly CoreResult[]
  readonly errno: string
  /** Text of the log, complete unless `truncated`. */
  readonly log: string
  readonly truncated: boolean
}

/**
 * The kernel's verifier refused a program. Code LOADER_REJECTED; LOADER_POISONED where it stumbled over a CO-RE
 * relocation that could not be resolved.
 *
 * Instruction indexes count slots in the linked program, which starts with the program's own function.
 */
export class VerifierError extends TsbpfError {
  override readonly name: string = 'VerifierError'
  readonly program: string
  /** The line or lines of the log that say what is wrong. */
  readonly summary: string
  /** The verifier's log, untouched. */
  readonly log: string
  /** True where the log was longer than could be fetched: its end is there from kernel 6.4 on, before that its start. */
  readonly truncated: boolean
  /** The instruction that was refused, where the log names one. */
  readonly insn: InsnIndex | undefined
  /** Function that the instruction is of: the program's own, or a subprogram. */
  readonly function: string | undefined
  /** The source line of the instruction, from the object's line info or the log. */
  readonly source: SourceLine | undefined

  constructor(refusal: Refusal) {
    const { linked, log, truncated, errno } = refusal
    const found = summarizeLog(log)
    const insn = found.insn as InsnIndex | undefined
    const fn = insn === undefined ? undefined : functionAt(linked, insn)
    const source = insn === undefined ? undefined : (lineAt(linked, insn) ?? fromLog(found.source))
    const place = placeText(insn, fn?.name, linked.name, found.insnText, source)
    const poisoned = isPoison(found, poisonImm) ? poisonedAt(refusal.relocations, fn, insn) : undefined
    const summary = found.message === '' ? errno : found.message
    const program = linked.name
    const [code, message, hint] =
      poisoned === undefined
        ? ['LOADER_REJECTED', rows.LOADER_REJECTED.message({ program, summary, place }), undefined]
        : [
            'LOADER_POISONED',
            rows.LOADER_POISONED.message({ program, relocation: relocationText(poisoned), place }),
            rows.LOADER_POISONED.hint,
          ]
    super(code, message, {
      hint: hint ?? hintFor(summary, truncated),
      context: { program, summary, insn, source, errno, relocation: poisoned?.accessText },
    })
    this.program = program
    this.summary = summary
    this.log = log
    this.truncated = truncated
    this.insn = insn
    this.function = fn?.name
    this.source = source
  }
}

function functionAt(
  linked: LinkedProgram,
  insn: number,
): { readonly name: string; readonly insn: number } | undefined {
  const fn = linked.functions.findLast((one) => one.startSlot <= insn)
  return fn === undefined ? undefined : { name: fn.name, insn: insn - fn.startSlot }
}

function lineAt(linked: LinkedProgram, insn: number): SourceLine | undefined {
  return linked.lineInfo.findLast((one) => one.insn <= insn)
}

function fromLog(source: ReturnType<typeof summarizeLog>['source']): SourceLine | undefined {
  return source === undefined ? undefined : { ...source, column: undefined }
}

function placeText(
  insn: number | undefined,
  fn: string | undefined,
  program: string,
  insnText: string | undefined,
  source: SourceLine | undefined,
): string {
  if (insn === undefined) return ''
  const inside = fn === undefined || fn === program ? '' : ` in ${fn}`
  const at = `\n  at insn ${insn}${inside}${insnText === undefined ? '' : `: ${insnText}`}`
  if (source === undefined) return at
  const column = source.column === undefined ? '' : `:${source.column}`
  return `${at}\n  ${source.file}:${source.line}${column}: ${source.text}`
}

function poisonedAt(
  relocations: readonly CoreResult[],
  fn: { readonly name: string; readonly insn: number } | undefined,
  insn: number | undefined,
): CoreResult | undefined {
  const poisoned = relocations.filter(({ status }) => status === 'poisoned')
  if (fn === undefined || insn === undefined) return poisoned[0]
  // A wide instruction is poisoned in both of its slots.
  return (
    poisoned.find((one) => one.program === fn.name && (one.insn === fn.insn || one.insn === fn.insn - 1)) ??
    poisoned[0]
  )
}

function relocationText(result: CoreResult): string {
  return `<${result.kind}> ${result.accessText}`
}

function hintFor(summary: string, truncated: boolean): string {
  const cut = truncated ? '; it was cut, because it is too long' : ''
  return knownHint(summary) ?? `the whole log is in the property log of the error${cut}`
}

/** The few messages that beginners meet; what they mean and what to do. */
const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/map_value_or_null|_or_null'|possibly NULL pointer/, 'compare the pointer with NULL before using it'],
  [
    /cannot call GPL-restricted function|helper call is not allowed in probe|GPL/,
    'give the object a GPL-compatible license, or leave that helper out',
  ],
  [
    /^unknown func|invalid func|program of this type cannot use helper/,
    'this kernel has no such helper for programs of this type',
  ],
  [
    /uses reserved fields|^unknown opcode|^invalid BPF_ALU|^invalid atomic opcode/,
    'this kernel does not know the instruction: compile with an older -mcpu (v4 needs kernel 6.6, v3 5.1)',
  ],
  [/too many|too large|processed \d+ insn/, 'make the program smaller or its loops shorter'],
]

function knownHint(summary: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(summary))?.[1]
}
