import { maxLogLines } from './limits.ts'

/** What the kernel's verifier said at the end of its log. */
export interface LogSummary {
  /** The lines that say what is wrong, without state, statistics and quoted source. */
  readonly message: string
  /** Index of the instruction in the linked program, where the log names one. */
  readonly insn: number | undefined
  /** The line of the instruction as the log prints it, without the state after it. */
  readonly insnText: string | undefined
  /** Source line that the log quotes before the instruction (kernels from 6.8 name its file). */
  readonly source: { readonly file: string; readonly line: number; readonly text: string } | undefined
}

/** `8: (7b) *(u64 *)(r0 +0) = r1 ; R1=1`: index and text of an instruction (kernel/bpf/verifier.c, do_check). */
const insnLine = /^(\d+): (\([0-9a-f]{2}\) .*)$/
/** `; *slot = 1; @ rejected.bpf.c:15` (kernel/bpf/log.c, verbose_linfo). */
const sourceLine = /^; (.*?)(?: @ ([^@]+):(\d+))?$/
/** Lines that report state or statistics and never say what is wrong. */
const noise =
  /^(?:processed \d+ insns|verification time|stack depth|mark_precise:|from \d+ to \d+|\d+: ?(?:R\d|\(|frame)| *(?:frame\d+: )?R\d+(?:_\w+)?=|last_idx|parent |regs=|arg#\d+ reference type|func#\d+ @|Live regs before insn|\s*$|\s*\d+: [.0-9]+ )/
/** Messages about the control-flow graph come before any instruction is walked and name it themselves. */
const namedInsn = /\b(?:insn|at|from) (\d+)\b/

/** Messages longer than this are cut from the front: the last line says what is wrong. */
const messageLines = 4

/**
 * Finds what is wrong in a verifier log of today's format: the message after the last instruction, that
 * instruction, and the source line quoted before it. Only the last lines of a long log are looked at.
 */
export function summarizeLog(log: string): LogSummary {
  const lines = lastLines(log, maxLogLines)
  let insnAt = lines.length - 1
  while (insnAt >= 0 && !insnLine.test(lines[insnAt] ?? '')) insnAt--

  const said: string[] = []
  for (let i = insnAt + 1; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (!noise.test(line) && !line.startsWith(';')) said.push(line)
  }
  const message = said.slice(-messageLines).join('\n')

  const match = insnAt < 0 ? null : insnLine.exec(lines[insnAt] ?? '')
  if (match === null) {
    const named = namedInsn.exec(message)
    return {
      message,
      insn: named === null ? undefined : Number(named[1]),
      insnText: undefined,
      source: undefined,
    }
  }
  return {
    message,
    insn: Number(match[1]),
    insnText: (match[2] ?? '').replace(/\s+; (?:R\d|frame|fp-|refs=|cb).*$/, '').trimEnd(),
    source: sourceBefore(lines, insnAt),
  }
}

function sourceBefore(lines: readonly string[], insnAt: number): LogSummary['source'] {
  for (let i = insnAt - 1; i >= 0; i--) {
    const line = lines[i] ?? ''
    if (!line.startsWith('; ')) continue
    const [, text, file, number] = sourceLine.exec(line) ?? []
    return text === undefined || file === undefined || number === undefined
      ? undefined
      : { file, line: Number(number), text }
  }
  return undefined
}

/** The last `count` lines, found from the end: a log can be of many megabytes. */
function lastLines(log: string, count: number): readonly string[] {
  let at = log.length
  for (let n = 0; n <= count && at > 0; n++) at = log.lastIndexOf('\n', at - 1)
  return log.slice(at <= 0 ? 0 : at + 1).split('\n')
}

/**
 * Number that a poisoned CO-RE relocation puts into a call (libbpf's relo_core.c, bpf_core_poison_insn),
 * when `insnText` or `message` shows the kernel stumbling over it.
 */
export function isPoison(summary: LogSummary, poison: number): boolean {
  const called = `#${poison}`
  return summary.message.includes(called) || (summary.insnText?.includes(called) ?? false)
}
