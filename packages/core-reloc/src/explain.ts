import { isTsbpfError } from '@tsbpf/base'
import { decodeInsn, formatLlvm } from '@tsbpf/isa'
import type { Insn } from '@tsbpf/isa'
import type { CoreCandidate, CoreResult, CoreType } from './core-result.ts'

/** Options of {@link explain}. */
export interface ExplainOptions {
  /** Writes an instruction: `(insn) => formatInsn(insn, 'verifier')`. As llvm-objdump does unless given. */
  readonly format?: (insn: Insn) => string
}

const verdicts: Readonly<Record<CoreCandidate['verdict'], string>> = {
  chosen: 'chosen',
  agrees: 'agrees with it',
  disagrees: 'disagrees with it',
  mismatch: 'does not fit',
  ruled_out: 'is out',
}

function noun({ kind, name, id, source }: CoreType): string {
  return `${kind} ${name === '' ? '<anon>' : name} [${id}] of ${source}`
}

function insnText(bytes: Uint8Array, littleEndian: boolean, format: (insn: Insn) => string): string {
  if (bytes.length === 0) return 'none'
  try {
    return format(decodeInsn(bytes, 0, { littleEndian }))
  } catch (error) {
    if (isTsbpfError(error)) return error.message
    throw error
  }
}

/** Why a poisoned relocation has no value. */
export function poisonReason({ targetType, candidates }: CoreResult): string {
  if (targetType !== undefined) {
    return 'its size differs, and only loads and stores of pointers and of ints that are not signed can be resized'
  }
  return candidates.length === 0 ? 'the target has no such type' : 'no candidate fits'
}

function outcome(result: CoreResult): string {
  const { status, oldValue, newValue, memSize, error, kind } = result
  if (status === 'failed') return `failed: ${error?.message ?? ''}`
  if (status === 'resolved') {
    const size = memSize === undefined ? '' : `, ${memSize.from} -> ${memSize.to} bytes`
    return `resolved: ${oldValue ?? ''} -> ${newValue ?? ''}${size}`
  }
  return `poisoned: ${poisonReason(result)}, so ${kind} has no value; the verifier refuses the program if it can get here`
}

/**
 * Says in a few lines of text how a relocation was decided: the local access and its source line, each candidate and
 * why it won or lost, the instruction before and after, and the outcome. The same facts as data are the result itself.
 *
 * @example
 * ```ts
 * import { explain } from '@tsbpf/core-reloc'
 * import type { CoreResult } from '@tsbpf/core-reloc'
 * declare const result: CoreResult
 * console.log(explain(result))
 * // main insn 3 (app.bpf.c:12): byte_off of struct task_struct.pid (0:0 @ offset 0)
 * //   source: return task->pid;
 * //   chosen: struct task_struct [114] of vmlinux: struct task_struct.pid (0:92 @ offset 1264)
 * //   before: r0 = *(u32 *)(r1 + 0x0)
 * //   after:  r0 = *(u32 *)(r1 + 0x4f0)
 * //   resolved: 0 -> 1264
 * ```
 */
export function explain(result: CoreResult, options: ExplainOptions = {}): string {
  const { format = formatLlvm } = options
  const { program, insn, line, kind, accessText, candidates, before, after, littleEndian } = result
  const at = line === undefined ? '' : ` (${line.file}:${line.line})`
  const lines = [`${program} insn ${insn}${at}: ${kind} of ${accessText}`]
  if (line !== undefined && line.text !== '') lines.push(`  source: ${line.text}`)
  for (const { type, verdict, accessText: found, why } of candidates) {
    const detail = [found, why].filter((text) => text !== undefined).join(': ')
    lines.push(`  ${verdicts[verdict]}: ${noun(type)}${detail === '' ? '' : `: ${detail}`}`)
  }
  lines.push(`  before: ${insnText(before, littleEndian, format)}`)
  lines.push(`  after:  ${insnText(after, littleEndian, format)}`)
  lines.push(`  ${outcome(result)}`)
  return lines.join('\n')
}
