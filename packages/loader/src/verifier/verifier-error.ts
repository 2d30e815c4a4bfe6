import { TsbpfError } from '@tsbpf/base'
import type { InsnIndex } from '@tsbpf/base'
import { explain } from '@tsbpf/core-reloc'
import type { CoreResult } from '@tsbpf/core-reloc'
import type { LinkedProgram } from '@tsbpf/object'
import type { CapabilityName } from '@tsbpf/sys'
import { rows } from '../errors.ts'
import { insnWindow } from './insn-window.ts'
import type { InsnLine } from './insn-window.ts'
import { missingThing } from './missing-thing.ts'
import { parseVerifierLog } from './parse-log.ts'
import type { SourceLine, VerifierLog } from './parse-log.ts'
import { explainMessage } from './verifier-messages.ts'
import type { VerifierMessage } from './verifier-messages.ts'

export type { InsnLine } from './insn-window.ts'

/** What the kernel's verifier said about a program, and about which one. */
export interface Refusal {
  readonly linked: LinkedProgram
  /** Kernel spelling of the program type. */
  readonly type?: string | undefined
  /** Relocations of the load, to recognise one that was poisoned. */
  readonly relocations: readonly CoreResult[]
  readonly errno: string
  /** Text of the log, complete unless `truncated`. */
  readonly log: string
  readonly truncated: boolean
  /** Those of CAP_BPF and CAP_PERFMON, with which the verifier allows more, that this process lacks. */
  readonly lacking?: readonly CapabilityName[]
}

/**
 * The kernel's verifier refused a program. Code LOADER_REJECTED; LOADER_POISONED where it stumbled over a CO-RE
 * relocation that could not be resolved, LOADER_NO_HELPER and LOADER_NO_KFUNC where it knows no such function.
 *
 * Instruction indexes count slots in the linked program, which starts with the program's own function.
 */
export class VerifierError extends TsbpfError {
  override readonly name: string = 'VerifierError'
  readonly program: string
  /** The line or lines of the log that say what is wrong. */
  readonly summary: string
  /** What is wrong, in one line and without its place. */
  readonly headline: string
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
  /** The log, parsed: registers and stack before the instruction, and the way to it. */
  readonly details: VerifierLog
  /**
   * What the message means; `undefined` for one that the table does not know, and where the verifier only knows that
   * a call leads nowhere, but the headline says why: a poisoned relocation, a missing kfunc.
   */
  readonly explanation: VerifierMessage | undefined
  /** The CO-RE relocation without a value that the program stumbled over: `explain` says why it has none. */
  readonly relocation: CoreResult | undefined
  /**
   * The instruction and those around it in the linked program, as the kernel prints them, and one that was poisoned as it
   * was compiled; empty where none is named.
   */
  readonly window: readonly InsnLine[]

  constructor(refusal: Refusal) {
    const { linked, log, truncated, errno, lacking = [] } = refusal
    const details = endOf(parseVerifierLog(log), truncated)
    const insn = details.insn as InsnIndex | undefined
    const fn = insn === undefined ? undefined : functionAt(linked, insn)
    const source = insn === undefined ? undefined : (lineAt(linked, insn) ?? details.source)
    const missing = missingThing(refusal, details, fn)
    const relocation = missing?.relocation
    const window = insn === undefined ? [] : insnWindow(linked, insn, relocation)
    const insnText = details.insnText ?? window.find((one) => one.insn === insn)?.text
    const place = placeText(insn, fn?.name, linked.name, insnText, source)
    const summary = details.message === '' ? errno : details.message
    const certain = missing?.code === 'LOADER_POISONED' || missing?.code === 'LOADER_NO_KFUNC'
    const explanation = certain ? undefined : explainMessage(summary)
    const program = linked.name
    const headline =
      missing?.headline ??
      rows.LOADER_REJECTED.message({ program, summary: summary.replaceAll('\n', '; '), place: '' })
    const message =
      missing === undefined
        ? rows.LOADER_REJECTED.message({ program, summary, place })
        : `${missing.headline}${relocation === undefined ? place : `\n${explain(relocation)}`.replaceAll('\n', '\n  ')}`
    const relaxing = (explanation?.relaxedBy ?? []).filter((name) => lacking.includes(name))
    super(missing?.code ?? 'LOADER_REJECTED', message, {
      hint: hintOf(missing?.hint ?? details.report?.suggestion ?? explanation?.fix, relaxing, truncated),
      context: {
        program,
        summary,
        insn,
        source,
        errno,
        message: explanation?.id,
        missing: missing?.name,
        lacking: relaxing,
      },
    })
    this.program = program
    this.summary = summary
    this.headline = headline
    this.log = log
    this.truncated = truncated
    this.insn = insn
    this.function = fn?.name
    this.source = source
    this.details = details
    this.explanation = explanation
    this.relocation = relocation
    this.window = window
  }
}

/** Before kernel 6.4 a buffer that is too small has the start of the log: its last instruction is not the refused one. */
function endOf(details: VerifierLog, truncated: boolean): VerifierLog {
  if (!truncated || details.statistics !== undefined || details.message !== '') return details
  return { ...details, insn: undefined, insnText: undefined, source: undefined, state: undefined }
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

function hintOf(fix: string | undefined, relaxing: readonly CapabilityName[], truncated: boolean): string {
  const cut = truncated ? '; it was cut, because it is too long' : ''
  const hint = fix ?? `the whole log is in the property log of the error${cut}`
  if (relaxing.length === 0) return hint
  return `this process lacks ${relaxing.join(' and ')}, with which the verifier allows more; else ${hint}`
}
