import type { ErrorContext, InsnIndex, TsbpfError } from '@tsbpf/base'
import type { CoreRelocation, LineInfo } from '@tsbpf/object'
import { formatAccess } from './access.ts'
import type { CoreCandidate, CoreLine, CoreResult, CoreType } from './core-result.ts'
import { locateError } from './errors.ts'
import { limits } from './limits.ts'
import type { InsnEditor, Patched } from './patch.ts'
import type { Findings } from './resolve.ts'

/** Code of one function, with what has to be known about it. */
export interface Code {
  readonly name: string
  readonly insns: Uint8Array
  readonly coreRelocations: readonly CoreRelocation[]
  readonly lineInfo: readonly LineInfo[]
}

/** What a result is made of; what is found out on the way is complete even where the way ends in an error. */
export interface Facts extends Findings {
  readonly code: Code
  readonly editor: InsnEditor | undefined
  readonly relocation: CoreRelocation
  readonly kind: string
  localType: CoreType
  /** Of the instruction; 0 where it is out of range. */
  slots: number
  /** The value that the instruction held. */
  held: bigint | undefined
  readonly littleEndian: boolean
}

/**
 * Texts, views and lines are made when they are read: of a thousand relocations, few are looked at. A class, because its
 * objects are made ten times faster than others with getters.
 */
class Relocated implements CoreResult {
  readonly program: string
  readonly insn: InsnIndex
  readonly kind: string
  readonly localType: CoreType
  readonly access: string
  readonly status: CoreResult['status']
  readonly oldValue: bigint | undefined
  readonly newValue: bigint | undefined
  readonly memSize: CoreResult['memSize']
  readonly targetType: CoreType | undefined
  readonly candidates: readonly CoreCandidate[]
  readonly error: TsbpfError | undefined
  readonly littleEndian: boolean
  readonly #facts: Facts

  constructor(
    facts: Facts,
    status: CoreResult['status'],
    patched: Patched | undefined,
    error: TsbpfError | undefined,
  ) {
    const { relocation } = facts
    this.program = facts.code.name
    this.insn = relocation.insn
    this.kind = facts.kind
    this.localType = facts.localType
    this.access = relocation.access
    this.status = status
    this.oldValue = facts.held
    this.newValue = patched?.newValue
    this.memSize = patched?.memSize
    this.targetType = facts.targetType
    this.candidates = facts.candidates
    this.error = error
    this.littleEndian = facts.littleEndian
    this.#facts = facts
  }

  get accessText(): string {
    const { access } = this.#facts
    if (access !== undefined) return formatAccess(access)
    const { kind, name } = this.localType
    return `${kind} ${name === '' ? '<anon>' : name} + ${this.access.slice(0, 80)}`
  }

  get line(): CoreLine | undefined {
    return lineOf(this.#facts.code.lineInfo, this.insn)
  }

  get before(): Uint8Array {
    return this.#slots(this.#facts.code.insns)
  }

  get after(): Uint8Array {
    return this.#slots(this.#facts.editor?.view.bytes ?? this.#facts.code.insns)
  }

  #slots(insns: Uint8Array): Uint8Array {
    return insns.subarray(this.insn * 8, (this.insn + this.#facts.slots) * 8)
  }
}

/** The result of a relocation that did not fail. */
export function resultOf(facts: Facts, patched: Patched): CoreResult {
  return new Relocated(facts, patched.poisoned ? 'poisoned' : 'resolved', patched, undefined)
}

/** That of one that failed, with an error that says where it happened and what it was about, unless that is known. */
export function failedResult(facts: Facts, error: TsbpfError, known: TsbpfError | undefined): CoreResult {
  const result = new Relocated(facts, 'failed', undefined, error)
  if (error === known) return result
  return new Relocated(facts, 'failed', undefined, located(error, result))
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
