/** Where a call stood, not yet read: an engine writes the text of a stack only when it is asked for. */
export interface Trace {
  readonly stack?: string
}

/** The place of a call in the caller's source, as the engine's stack has it. */
export interface SourceSite {
  /** Path or address of the file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** The call as the builder understood it: `mov(r0, 1)`. */
  readonly operation: string
}

/** A line of source for BTF line info, which the verifier's log quotes. */
export interface SourceLine {
  readonly file: string
  readonly line: number
  readonly column?: number
  readonly text: string
}

/** Says which line of source a call stands on; pure, and `undefined` where it does not know. */
export type ResolveSite = (site: SourceSite) => SourceLine | undefined

type Callee = (...args: never[]) => unknown

interface Engine {
  captureStackTrace?(into: object, below: Callee): void
  stackTraceLimit?: number
}

/** Remembers who called `callee`; nothing where the engine has no `Error.captureStackTrace`. */
export function traceOf(callee: Callee): Trace {
  const engine: Engine = Error
  const trace: Trace = {}
  const limit = engine.stackTraceLimit
  engine.stackTraceLimit = 1
  engine.captureStackTrace?.(trace, callee)
  if (limit !== undefined) engine.stackTraceLimit = limit
  return trace
}

/** Reads a trace: V8 writes `at name (file:1:2)` or `at file:1:2`, others `name@file:1:2`. */
export function siteOf(trace: Trace, operation: string): SourceSite | undefined {
  const [, file, line, column] =
    /(?:\bat (?:.*\()?|@)(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/m.exec(trace.stack ?? '') ?? []
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column), operation }
}

/** A trace for messages: `/src/count.ts:12:5`. */
export function placeOf(trace: Trace): string {
  const site = siteOf(trace, '')
  return site === undefined ? 'unknown place' : `${site.file}:${site.line}:${site.column}`
}

/**
 * The line of a call without reading any file: the file's name without its folders, so that the bytes do not depend on
 * where it lies, and the call as text. Give a function of your own to quote the source itself.
 *
 * @example
 * ```ts
 * import { buildObject, callLine, program, r0 } from '@tsbpf/asm'
 * const pass = program('pass', 'xdp', (b) => b.mov(r0, 2).exit())
 * const spec = buildObject({ license: 'GPL', programs: [pass] }, { resolveSite: callLine })
 * console.log(spec.programs[0]?.lineInfo[0]?.text) // mov(r0, 2)
 * ```
 */
export const callLine: ResolveSite = ({ file, line, column, operation }) => ({
  file: file.slice(file.lastIndexOf('/') + 1),
  line,
  column,
  text: operation,
})
