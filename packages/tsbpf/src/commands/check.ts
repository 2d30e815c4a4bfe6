import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isTsbpfError } from '@tsbpf/base'
import { checkTargets } from '@tsbpf/core-reloc'
import type { CheckProblem, CheckSource, TargetCheck } from '@tsbpf/core-reloc'
import { errors } from '../errors.ts'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { maxListedNames } from '../limits.ts'
import { paintFor } from '../paint.ts'
import type { Paint } from '../paint.ts'
import { progressLine } from '../progress.ts'
import { readObject } from '../read-object.ts'
import { reportError } from '../report-error.ts'
import { readTargets, targetName } from '../target-btf.ts'
import { printable, textTable } from '../text-table.ts'

/** Options of {@link check}. */
export interface CheckOptions {
  readonly json: boolean
  /** Folder with one file per kernel. */
  readonly targets: string
}

/** A target with what became of the object on it. */
interface Checked {
  readonly file: string
  readonly check: TargetCheck
}

/**
 * `tsbpf check OBJ --targets DIR`: on which kernels the object relocates, and what breaks where. One kernel's BTF is
 * in memory at a time. Exit 1 where the object fails on a target, or a target cannot be read.
 */
export async function check(io: Io, file: string, options: CheckOptions): Promise<number> {
  const { spec } = await readObject(file)
  const targets = await targetsIn(options.targets)
  const progress = progressLine(io)
  const sources: CheckSource[] = targets.map(({ name, path }, index) => ({
    name,
    open() {
      progress.show(`checking ${index + 1} of ${targets.length}: ${printable(name)}`)
      return readTargets([path])
    },
  }))
  const checked: Checked[] = []
  try {
    for await (const one of checkTargets(spec, sources)) {
      checked.push({ file: targets[checked.length]?.path ?? '', check: one })
    }
  } finally {
    progress.clear()
  }

  if (options.json) io.stdout.write(toJsonDocument({ targets: checked.map(describe) }))
  else io.stdout.write(checkText(paintFor(io, io.stdout), checked))

  const failed = checked.filter((one) => one.check.status === 'failed').length
  if (failed === 0) return 0
  reportError(io, errors.CLI_CHECK({ failed, total: checked.length }))
  return 1
}

/** The files of a folder, in the order in which a person counts: 5.4 before 5.10. Hidden ones are left out. */
async function targetsIn(folder: string): Promise<{ readonly name: string; readonly path: string }[]> {
  let names: string[]
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown }
    if (code === 'ENOENT') throw errors.CLI_FILE_MISSING({ file: folder }, { cause })
    throw errors.CLI_TARGETS_FOLDER({ folder, reason: String(code) }, { cause })
  }
  const order = new Intl.Collator('en', { numeric: true })
  const found = names
    .filter((name) => !name.startsWith('.'))
    .sort((a, b) => order.compare(a, b))
    .map((name) => ({ name: targetName(name), path: join(folder, name) }))
  if (found.length === 0) throw errors.CLI_NO_TARGETS({ folder })
  return found
}

function describe({ file, check: one }: Checked) {
  const { name, status, resolved, poisoned, failed, problems, error } = one
  return {
    target: name,
    file,
    status,
    resolved,
    poisoned,
    failed,
    problems: problems.map(describeProblem),
    error: isTsbpfError(error) ? { code: error.code, message: error.message } : null,
  }
}

function describeProblem({ result, reason }: CheckProblem) {
  const { program, insn, kind, access, accessText, status, line, error } = result
  return {
    program,
    insn,
    kind,
    access,
    accessText,
    status,
    line: line ?? null,
    reason,
    error: error === undefined ? null : { code: error.code, message: error.message },
  }
}

function checkText(paint: Paint, checked: readonly Checked[]): string {
  const colour = { ok: paint.green, poisoned: paint.yellow, failed: paint.red }
  const rows = checked.map(({ check: { name, status, resolved, poisoned, failed } }) => {
    return { status, cells: [name, status, resolved, poisoned, failed] }
  })
  const table = textTable(
    paint,
    [
      { title: 'TARGET' },
      { title: 'RESULT' },
      { title: 'RESOLVED', align: 'right' },
      { title: 'POISONED', align: 'right' },
      { title: 'FAILED', align: 'right' },
    ],
    rows.map(({ cells }) => cells),
    '',
  )
    .split('\n')
    .map((line, index) => {
      const row = rows[index - 1]
      return row === undefined
        ? line
        : line.replace(/ (ok|poisoned|failed) /, (word) => colour[row.status](word))
    })
    .join('\n')
  const count = (status: TargetCheck['status']): number =>
    checked.filter((one) => one.check.status === status).length
  const total = `${checked.length} targets: ${count('ok')} ok, ${count('poisoned')} poisoned, ${count('failed')} failed\n`
  return [table, ...breakages(paint, checked), total].join('\n')
}

/** What breaks, each once with the targets on which it does. */
function breakages(paint: Paint, checked: readonly Checked[]): string[] {
  const found = new Map<string, { readonly word: string; readonly names: Set<string> }>()
  const add = (name: string, word: string, lines: readonly string[]): void => {
    const text = lines.map((line) => `  ${printable(line)}\n`).join('')
    const known = found.get(`${word} ${text}`)
    if (known === undefined) found.set(`${word} ${text}`, { word, names: new Set([name]) })
    else known.names.add(name)
  }
  for (const { check: one } of checked) {
    if (one.error !== undefined) add(one.name, 'failed', [one.error.message])
    for (const problem of one.problems) add(one.name, problem.result.status, problemLines(problem))
  }
  return [...found].map(([key, { word, names }]) => {
    const coloured = word === 'failed' ? paint.red(word) : paint.yellow(word)
    const all = names.size > 1 && names.size === new Set(checked.map(({ check: { name } }) => name)).size
    return `${coloured} on ${all ? 'every target' : listed([...names])}\n${key.slice(word.length + 1)}`
  })
}

function problemLines({ result, reason }: CheckProblem): string[] {
  const { program, line, kind, accessText } = result
  const at = line === undefined ? '' : ` (${line.file}:${line.line})`
  const source = line === undefined || line.text === '' ? [] : [`source: ${line.text.trim()}`]
  return [`${program}${at}: ${kind} of ${accessText}`, ...source, reason]
}

function listed(names: readonly string[]): string {
  const left = names.length - maxListedNames
  const text = names.slice(0, maxListedNames).map(printable).join(', ')
  return left > 0 ? `${text} and ${left} more` : text
}
