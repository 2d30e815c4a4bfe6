import { maxLogLines } from '../limits.ts'
import { parseReport, reportStart } from './parse-report.ts'
import type { VerifierReport } from './parse-report.ts'
import { parseState, startsState, trackState } from './verifier-state.ts'
import type { VerifierState } from './verifier-state.ts'

/** A place in the source of a program. */
export interface SourceLine {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** Column from 1; `undefined` where only the log tells the line. */
  readonly column: number | undefined
  readonly text: string
}

/** An instruction on the way that the verifier walked. */
export interface PathStep {
  /** Index in the linked program. */
  readonly insn: number
  /** As the log prints it, without the state behind it: `(7b) *(u64 *)(r0 +0) = r1`. */
  readonly text: string
  /** The line of source that the log quotes before it; the same object as long as the line stays the same. */
  readonly source: SourceLine | undefined
}

/** The line of numbers at the end (kernel/bpf/verifier.c, print_verification_stats). */
export interface VerifierStatistics {
  readonly insns: number
  readonly insnLimit: number
  readonly maxStatesPerInsn: number
  readonly totalStates: number
  readonly peakStates: number
}

/** A verifier log, parsed. */
export interface VerifierLog {
  /** The lines that say what is wrong, without state, statistics and quoted source; empty where none does. */
  readonly message: string
  /** Index of the refused instruction in the linked program, where the log names one. */
  readonly insn: number | undefined
  /** That instruction as the log prints it, without the state after it. */
  readonly insnText: string | undefined
  /** Source line that the log quotes before the instruction (kernels from 6.8 name its file). */
  readonly source: SourceLine | undefined
  /** Registers and stack before the instruction. */
  readonly state: VerifierState | undefined
  /**
   * The way to the instruction, which is its last step. At log level 1 the kernel keeps only the way that fails; at
   * level 2 the ways that were walked before it stand there too.
   */
  readonly path: readonly PathStep[]
  readonly statistics: VerifierStatistics | undefined
  /** The kernel's own explanation, from 7.3 on. */
  readonly report: VerifierReport | undefined
}

/** `8: (7b) *(u64 *)(r0 +0) = r1 ; R1=1`: index and text of an instruction (kernel/bpf/verifier.c, do_check). */
const insnLine = /^(\d+): (\([0-9a-f]{2}\) .*)$/
const statisticsLine =
  /^processed (\d+) insns \(limit (\d+)\) max_states_per_insn (\d+) total_states (\d+) peak_states (\d+)/
/** A state on a line of its own, with what may stand before it. */
const stateLine =
  /^(?:from \d+ to \d+(?: \([a-z ]+\))?:|\d+:)? *((?:frame\d+: ?)?(?:R\d+(?:_\w+)?=|fp-?\d+(?:_\w+)?=|refs=\d|cb$).*)$/
/** Lines after which, or in which, a state is the whole of its frame. */
const wholeState = /^(?:from \d+ to \d+|caller:|callee:|to caller at \d+:)/
/** Lines that report progress and never say what is wrong. */
const noise =
  /^(?:processed \d+ insns|verification time|stack depth|mark_precise:|from \d+ to \d+|last_idx|parent |regs=|caller:|callee:|cur state:|old state:|returning from callee|to caller at|arg#\d+ reference type|func#\d+ @|Live regs before insn|Func#\d+ .* (?:is safe|is global)|Func#\d+ is |Validating |\d+: safe|\s*$|\s*\d+: [.0-9]+ )/
/** Messages about the control-flow graph come before any instruction is walked and name it themselves. */
const namedInsn = /\b(?:insn|at|from) (\d+)\b/

/** Messages longer than this are cut from the front: the last line says what is wrong. */
const messageLines = 4

/**
 * Parses a verifier log of kernels up to 6.18, and the report that kernels from 7.3 on add. Any text gives a value; only the
 * last lines of a long log are looked at, so that the path of a long one begins in its midst.
 *
 * @example
 * ```ts
 * import { parseVerifierLog } from '@tsbpf/loader'
 * const log = '0: R1=ctx() R10=fp0\n0: (bf) r0 = r2\nR2 !read_ok\nprocessed 1 insns (limit 1000000)\n'
 * const { insn, message, state } = parseVerifierLog(log)
 * console.log(insn, message, state?.registers.get('R1')) // 0 R2 !read_ok ctx()
 * ```
 */
export function parseVerifierLog(log: string): VerifierLog {
  const lines = lastLines(log, maxLogLines)
  const reportAt = reportStart(lines)
  const report = reportAt < 0 ? undefined : parseReport(lines, reportAt)
  const walked = walk(reportAt < 0 ? lines : lines.slice(0, reportAt))
  const last = walked.path.at(-1)
  const message =
    walked.said.length > 0 || report === undefined
      ? walked.said.slice(-messageLines).join('\n')
      : `${report.category}: ${report.problem}`
  const named = last === undefined ? namedInsn.exec(message)?.[1] : undefined
  const [, ...numbers] = lines.map((line) => statisticsLine.exec(line)).find((match) => match !== null) ?? []
  const [insns, insnLimit, maxStatesPerInsn, totalStates, peakStates] = numbers.map(Number)
  return {
    message,
    insn: last?.insn ?? (named === undefined ? report?.insn : Number(named)),
    insnText: last?.text ?? report?.insnText,
    source: placed(last?.source) ?? report?.source,
    state: walked.state,
    path: walked.path,
    statistics:
      insns === undefined
        ? undefined
        : {
            insns,
            insnLimit: insnLimit ?? 0,
            maxStatesPerInsn: maxStatesPerInsn ?? 0,
            totalStates: totalStates ?? 0,
            peakStates: peakStates ?? 0,
          },
    report,
  }
}

/** A line whose file the kernel did not name is no place. */
function placed(source: SourceLine | undefined): SourceLine | undefined {
  return source?.file === '' ? undefined : source
}

interface Walked {
  readonly path: readonly PathStep[]
  readonly state: VerifierState | undefined
  /** Lines after the last instruction that may say what is wrong. */
  readonly said: readonly string[]
}

function walk(lines: readonly string[]): Walked {
  const path: PathStep[] = []
  const tracker = trackState()
  let said: string[] = []
  let source: SourceLine | undefined
  let whole = false
  // Of a call that is refused, the arguments are still of interest.
  let calling = false
  const take = (text: string): boolean => {
    const state = parseState(text)
    if (state === undefined) return false
    if (calling) tracker.called()
    tracker.take(state, { whole })
    calling = whole = false
    return true
  }
  for (const line of lines) {
    const insn = insnLine.exec(line)
    if (insn !== null) {
      const [text, state] = splitState(insn[2] ?? '')
      path.push({ insn: Number(insn[1]), text, source })
      said = []
      whole = false
      if (calling) tracker.called()
      calling = text.startsWith('(85) call ') && !text.startsWith('(85) call pc')
      if (state !== undefined) take(state)
      continue
    }
    if (line.startsWith('; ')) {
      source = quotedSource(line)
      continue
    }
    whole = whole || wholeState.test(line)
    if (take(stateLine.exec(line)?.[1] ?? '')) continue
    if (!noise.test(line)) said.push(line)
  }
  return { path, state: tracker.now(), said }
}

/** `; *slot = 1; @ rejected.bpf.c:15` (kernel/bpf/log.c, verbose_linfo); before 6.8 without the place. */
function quotedSource(line: string): SourceLine {
  const at = line.lastIndexOf(' @ ')
  const [, file = '', number = '0'] = at < 0 ? [] : (/^([^@]+):(\d+)$/.exec(line.slice(at + 3)) ?? [])
  const text = (file === '' ? line.slice(2) : line.slice(2, at)).trim()
  return { file, line: Number(number), column: undefined, text }
}

/** Parts an instruction from the state behind it. */
function splitState(text: string): readonly [insn: string, state: string | undefined] {
  const at = text.indexOf(' ; ')
  const state = at < 0 ? '' : text.slice(at + 3).trimStart()
  return startsState(state) ? [text.slice(0, at).trimEnd(), state] : [text.trimEnd(), undefined]
}

/** The last `count` lines, found from the end: a log can be of many megabytes. */
function lastLines(log: string, count: number): readonly string[] {
  let at = log.length
  for (let n = 0; n <= count && at > 0; n++) at = log.lastIndexOf('\n', at - 1)
  return log.slice(at <= 0 ? 0 : at + 1).split('\n')
}
