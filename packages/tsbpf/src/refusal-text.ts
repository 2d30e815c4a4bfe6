import { explain } from '@tsbpf/core-reloc'
import type { VerifierError } from '@tsbpf/loader'
import { maxPathLines } from './limits.ts'
import type { Paint } from './paint.ts'
import { printable, printableLines } from './text-table.ts'

/** True for a refusal of the verifier, of whichever copy of the loader. */
export function isRefusal(error: { readonly name: string }): error is VerifierError {
  return error.name === 'VerifierError' && 'details' in error && 'window' in error
}

/**
 * What stands between message and hint where the verifier refused a program, as compilers print it: the line of source
 * underlined, the instructions around the refused one, registers and stack before it, the lines of source on the way to
 * it, and what the message means, or how the CO-RE relocation was decided that has no value.
 */
export function refusalText(paint: Paint, error: VerifierError): string {
  return [
    ...sourceLines(paint, error),
    ...insnLines(paint, error),
    ...stateLines(paint, error),
    ...pathLines(paint, error),
    ...meaningLines(paint, error),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function sourceLines(paint: Paint, { source }: VerifierError): readonly string[] {
  if (source === undefined) return []
  const { file, line, column, text } = source
  const number = String(line)
  const bar = `${' '.repeat(number.length)} ${paint.cyan('|')}`
  const shown = printable(text)
  const place = `${printable(file)}:${number}${column === undefined ? '' : `:${column}`}`
  const arrow = `${' '.repeat(number.length)}${paint.cyan('-->')} ${place}`
  if (shown === '') return [arrow]
  // The line's indentation is not known, so that no single column can be pointed at.
  const underline = paint.red('^'.repeat(shown.length))
  return [arrow, bar, `${paint.cyan(`${number} |`)} ${shown}`, `${bar} ${underline}`]
}

function insnLines(paint: Paint, error: VerifierError): readonly string[] {
  const { window, insn, program, relocation } = error
  if (insn === undefined || window.length === 0) return []
  const inside = error.function === undefined ? '' : ` of ${printable(error.function)}`
  const linked = error.function === program ? '' : `, which is part of ${printable(program)}`
  const width = String(window.at(-1)?.insn ?? 0).length
  return [
    paint.bold(`instruction ${insn}${inside}${linked}:`),
    ...window.map((line) => {
      const number = String(line.insn).padStart(width)
      // The log names maps, kfuncs and helpers; the linked program alone does not.
      const poisoned = relocation !== undefined && line.insn === insn
      const logged = poisoned
        ? undefined
        : error.details.path.findLast((step) => step.insn === line.insn)?.text
      const text = `${number}: ${printable(logged ?? line.text)}`
      return line.insn === insn ? `${paint.red('>')} ${paint.bold(text)}` : `  ${text}`
    }),
  ]
}

function stateLines(paint: Paint, { details: { state } }: VerifierError): readonly string[] {
  if (state === undefined) return []
  const values = [
    ...state.registers,
    ...[...state.stack].map(([offset, content]) => [`fp${offset}`, content] as const),
  ]
  const width = Math.max(...values.map(([name]) => name.length))
  const held = state.references.length === 0 ? '' : `, not yet released: ${state.references.join(', ')}`
  return [
    paint.bold(`registers and stack before it${state.frame === 0 ? '' : `, in call ${state.frame}`}${held}:`),
    ...values.map(([name, content]) => `  ${name.padEnd(width)} = ${printable(content)}`),
  ]
}

/** The way in lines of source, each once where it stays; the instructions of it are in the log. */
function pathLines(paint: Paint, { details: { path } }: VerifierError): readonly string[] {
  const lines: string[] = []
  let last: unknown
  for (const { insn, source } of path) {
    if (source === undefined || source === last) continue
    last = source
    const place = source.file === '' ? '' : `${printable(source.file)}:${source.line}: `
    lines.push(`  ${String(insn).padStart(4)}: ${place}${printable(source.text)}`)
  }
  if (lines.length < 2) return []
  const shown = lines.slice(-maxPathLines)
  const left = lines.length - shown.length
  const more = left === 0 ? [] : [`  … ${left} more before`]
  return [paint.bold('path to it:'), ...more, ...shown]
}

function meaningLines(paint: Paint, error: VerifierError): readonly string[] {
  const { explanation, relocation, details } = error
  if (relocation !== undefined) return [`${paint.cyan('relocation:')} ${printableLines(explain(relocation))}`]
  const { report } = details
  const meaning = report === undefined || report.reason === '' ? explanation?.meaning : report.reason
  return meaning === undefined ? [] : [`${paint.cyan('meaning:')} ${printableLines(meaning)}`]
}
