import { isTsbpfError } from '@tsbpf/base'
import { errors } from './errors.ts'
import type { Io } from './io.ts'
import { maxLogLines } from './limits.ts'
import { paintFor } from './paint.ts'
import type { Paint } from './paint.ts'
import { printable, printableLines } from './text-table.ts'

/** Prints an error as the command line does: `error[CODE]: message`, then `hint: …`. */
export function reportError(io: Io, error: unknown): void {
  const paint = paintFor(io, io.stderr)
  const known = isTsbpfError(error)
    ? error
    : errors.CLI_INTERNAL({ reason: reasonOf(error) }, { cause: error })
  io.stderr.write(`${paint.red(`error[${known.code}]:`)} ${printableLines(known.message)}\n`)
  if (known.hint !== undefined) io.stderr.write(`${paint.cyan('hint:')} ${printableLines(known.hint)}\n`)
  const log = (known as { readonly log?: unknown }).log
  if (typeof log === 'string') io.stderr.write(logText(paint, log, io.env['TSBPF_DEBUG'] !== undefined))
  if (!isTsbpfError(error) && error instanceof Error && io.env['TSBPF_DEBUG'] !== undefined) {
    io.stderr.write(`${error.stack ?? ''}\n`)
  }
}

/** End of the verifier's log, which tells most; all of it for debugging. */
function logText(paint: Paint, log: string, whole: boolean): string {
  const lines = log.trimEnd().split('\n')
  const shown = whole ? lines : lines.slice(-maxLogLines)
  const title = shown.length === lines.length ? 'log' : 'end of the log (TSBPF_DEBUG=1 shows all of it)'
  return `${paint.dim(`${title}:`)}\n${shown.map((line) => `  ${printable(line)}\n`).join('')}`
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
