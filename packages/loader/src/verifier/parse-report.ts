import type { SourceLine } from './parse-log.ts'

/**
 * What kernels from 7.3 on say at the end of the log (kernel/bpf/diagnostics.c): the same refusal in words, with the way
 * that led to it.
 */
export interface VerifierReport {
  /** `Register Type Safety`, `Memory Safety`, `Resource Lifetime Safety` … */
  readonly category: string
  /** `Unreadable register`; empty where the kernel says only the category. */
  readonly problem: string
  readonly reason: string
  /** What the kernel thinks would help. */
  readonly suggestion: string | undefined
  readonly insn: number | undefined
  readonly insnText: string | undefined
  readonly source: SourceLine | undefined
  /** The kernel's note at the place: `R0 is not readable`. */
  readonly note: string | undefined
  /** Section "Causal path" as it stands, without its indentation. */
  readonly path: readonly string[]
}

const header = /^Verification failed: (.*?)(?:: (.*))?$/
/** `count @ a.bpf.c:12:5`, `a.bpf.c:12:5`. */
const sourcePlace = /^ {2}(?:\S+ @ )?(\S.*):(\d+):(\d+)$/
const shownInsn = /^ {2}>>> *(\d+) \| (\([0-9a-f]{2}\) .*)$/
const shownLine = /^ {2}>>> *\d+ \| (.*)$/

/** Index of the line that begins the report; -1 where there is none. */
export function reportStart(lines: readonly string[]): number {
  return lines.findLastIndex((line) => header.test(line))
}

/** Reads the report that begins at a line found by {@link reportStart}. */
export function parseReport(lines: readonly string[], start: number): VerifierReport {
  const [, category = '', problem = ''] = header.exec(lines[start] ?? '') ?? []
  const sections = new Map<string, string[]>()
  let section: string[] | undefined
  for (const line of lines.slice(start + 1)) {
    const title = /^([A-Z][\w ]*):$/.exec(line)?.[1]
    if (title !== undefined) {
      section = []
      sections.set(title, section)
    } else if (line.startsWith('  ')) section?.push(line)
    else if (line !== '') section = undefined
  }
  const text = (title: string): string | undefined =>
    sections
      .get(title)
      ?.map((line) => line.trim())
      .join(' ')
  const path = (sections.get('Causal path') ?? []).map((line) => line.slice(2))
  return {
    category,
    problem,
    reason: text('Reason') ?? '',
    suggestion: text('Suggestion'),
    ...placeOf(sections.get('At') ?? []),
    path,
  }
}

function placeOf(lines: readonly string[]): Pick<VerifierReport, 'insn' | 'insnText' | 'source' | 'note'> {
  const first = lines[0] ?? ''
  const [, shown, insnText] = lines.map((line) => shownInsn.exec(line)).find((match) => match !== null) ?? []
  const named = shown ?? /^ {2}insn (\d+)$/.exec(first)?.[1]
  const [, file, line, column] = sourcePlace.exec(first) ?? []
  const quoted = lines.find((one) => shownLine.test(one) && !shownInsn.test(one)) ?? ''
  const source =
    file === undefined
      ? undefined
      : {
          file,
          line: Number(line),
          column: Number(column),
          text: (shownLine.exec(quoted)?.[1] ?? '').trim(),
        }
  return { insn: named === undefined ? undefined : Number(named), insnText, source, note: noteOf(lines) }
}

/** The note is wrapped: its further lines stand below the first one's text. */
function noteOf(lines: readonly string[]): string | undefined {
  const at = lines.findIndex((line) => line.includes('^-- '))
  if (at < 0) return undefined
  const column = (lines[at] ?? '').indexOf('^-- ')
  const parts = [(lines[at] ?? '').slice(column + '^-- '.length)]
  for (const line of lines.slice(at + 1)) {
    if (!line.startsWith(' '.repeat(6)) || line.slice(0, column).trim() !== '|') break
    parts.push(line.slice(column).trim())
  }
  return parts.join(' ').replace(/^error: /, '')
}
