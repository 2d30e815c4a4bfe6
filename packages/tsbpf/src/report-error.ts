import { isTsbpfError } from '@tsbpf/base'
import type { VerifierError } from '@tsbpf/loader'
import { errors } from './errors.ts'
import type { Io } from './io.ts'
import { maxLogLines } from './limits.ts'
import { paintFor } from './paint.ts'
import type { Paint } from './paint.ts'
import { isRefusal, refusalText } from './refusal-text.ts'
import { printable, printableLines } from './text-table.ts'

/**
 * Prints an error as the command line does: `error[CODE]: message`, then `hint: …`. A refusal of the verifier shows its
 * place in between, and the end of the log below.
 */
export function reportError(io: Io, error: unknown): void {
  const paint = paintFor(io, io.stderr)
  const known = isTsbpfError(error)
    ? error
    : errors.CLI_INTERNAL({ reason: reasonOf(error) }, { cause: error })
  const refusal = isRefusal(known) ? known : undefined
  const message = refusal?.headline ?? known.message
  io.stderr.write(`${paint.red(`error[${known.code}]:`)} ${printableLines(message)}\n`)
  if (refusal !== undefined) io.stderr.write(refusalText(paint, refusal))
  if (known.hint !== undefined) io.stderr.write(`${paint.cyan('hint:')} ${printableLines(known.hint)}\n`)
  const debugging = io.env['TSBPF_DEBUG'] !== undefined
  if (refusal !== undefined) io.stderr.write(logText(paint, refusal, debugging))
  if (!isTsbpfError(error) && error instanceof Error && debugging) io.stderr.write(`${error.stack ?? ''}\n`)
}

/** All of the log for debugging; its end where nobody knows what the message means. */
function logText(paint: Paint, { log, explanation }: VerifierError, debugging: boolean): string {
  const lines = log.trimEnd().split('\n')
  const shown = debugging ? lines : explanation === undefined ? lines.slice(-maxLogLines) : []
  const hidden = lines.length - shown.length
  const title =
    hidden === 0 ? 'log:' : `log: TSBPF_DEBUG=1 shows ${hidden} more ${hidden === 1 ? 'line' : 'lines'}`
  return `${paint.dim(title)}\n${shown.map((line) => `  ${printable(line)}\n`).join('')}`
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
