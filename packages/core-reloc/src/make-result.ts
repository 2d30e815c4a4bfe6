import type { ErrorContext, TsbpfError } from '@tsbpf/base'
import type { CoreRelocation, LineInfo } from '@tsbpf/object'
import { formatAccess } from './access.ts'
import type { CoreLine, CoreResult, CoreType } from './core-result.ts'
import { locateError } from './errors.ts'
import { limits } from './limits.ts'
import type { InsnEditor, Patched } from './patch.ts'
import type { Findings, ResolveState } from './resolve.ts'

/** Code of one function, with what has to be known about it. */
export interface Code {
  readonly name: string
  readonly insns: Uint8Array
  readonly coreRelocations: readonly CoreRelocation[]
  readonly lineInfo: readonly LineInfo[]
}

/** What a result is made of. */
export interface Facts {
  readonly code: Code
  readonly editor: InsnEditor | undefined
  readonly relocation: CoreRelocation
  readonly kind: string
  readonly localType: CoreType
  readonly slots: number
  readonly findings: Findings
  readonly state: ResolveState
}

/** Texts, views and lines are made when they are read: of a thousand relocations, few are looked at. */
export function resultOf(
  facts: Facts,
  status: CoreResult['status'],
  patched: Patched | undefined,
  held: bigint | undefined,
  error: TsbpfError | undefined,
): CoreResult {
  const { code, editor, relocation, localType, slots, findings, state } = facts
  const { insn, access } = relocation
  const bytesOf = (insns: Uint8Array): Uint8Array => insns.subarray(insn * 8, (insn + slots) * 8)
  return {
    program: code.name,
    insn,
    kind: facts.kind,
    localType,
    access,
    get accessText() {
      return accessText(findings, localType, access)
    },
    status,
    oldValue: patched?.oldValue ?? held,
    newValue: patched?.newValue,
    memSize: patched?.memSize,
    targetType: findings.targetType,
    candidates: findings.candidates,
    error,
    get line() {
      return lineOf(code.lineInfo, insn)
    },
    littleEndian: state.littleEndian,
    get before() {
      return bytesOf(code.insns)
    },
    get after() {
      return bytesOf(editor?.view.bytes ?? code.insns)
    },
  }
}

function accessText({ access }: Findings, { kind, name }: CoreType, text: string): string {
  if (access !== undefined) return formatAccess(access)
  return `${kind} ${name === '' ? '<anon>' : name} + ${text.slice(0, 80)}`
}

/** The source line of an instruction: that of the last record at or before it. */
function lineOf(lineInfo: readonly LineInfo[], insn: number): CoreLine | undefined {
  let low = 0
  let high = lineInfo.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((lineInfo[middle]?.insn ?? 0) <= insn) low = middle + 1
    else high = middle
  }
  const found = lineInfo[low - 1]
  if (found === undefined) return undefined
  return { file: found.file, line: found.line, column: found.column, text: found.text }
}

/** A failed result whose error says where it happened, and what it was about. */
export function locatedResult(result: CoreResult, error: TsbpfError): CoreResult {
  return { ...result, error: located(error, result) }
}

function located(error: TsbpfError, facts: CoreResult): TsbpfError {
  const { program, insn, kind, localType, access, accessText, line, candidates } = facts
  const at = line === undefined ? '' : ` (${line.file}:${line.line})`
  // One that disagrees is in the message already.
  const lost = candidates.filter(({ verdict }) => verdict === 'mismatch' || verdict === 'ruled_out')
  const reasons = lost
    .slice(0, limits.namedCandidates)
    .map(({ type, why }) => `${type.kind} ${type.name} [${type.id}] of ${type.source}: ${why ?? ''}`)
  if (lost.length > reasons.length) reasons.push(`and ${lost.length - reasons.length} more`)
  const context: ErrorContext = { program, insn, kind, localType, access, accessText, line, candidates }
  return locateError(error, `${program} insn ${insn}${at}: ${kind} of ${accessText}`, reasons, context)
}
