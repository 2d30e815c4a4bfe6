import { nearest } from '@tsbpf/base'
import { bindOperands } from './bound-insn.ts'
import type { BoundInsn, LabelUse } from './bound-insn.ts'
import { opOf } from './codec.ts'
import { rawDirective } from './conformance-text.ts'
import { errors } from './errors.ts'
import type { Dialect } from './format.ts'
import { opcodePrefix } from './verifier-text.ts'
import type { Insn } from './insn.ts'
import { slotsOf } from './insn.ts'
import { wideOpcode } from './insn-view.ts'
import { longestShownName, maxTextProblems, mostSuggested } from './limits.ts'
import type { TextSyntax } from './operand-readers.ts'
import { fitTemplates } from './template-tree.ts'
import type { Misfit } from './template-tree.ts'
import { isWord, lexLine, numberOf } from './text-lexer.ts'
import type { Token } from './text-lexer.ts'
import type { TextProblem } from './text-problem.ts'
import { templatesOf, textSyntax } from './text-syntax.ts'

/** Options of {@link parseInsns}. */
export interface ParseInsnsOptions {
  readonly dialect: Dialect
  /** Labels that are defined elsewhere: slots from the first instruction of the text; they may lie outside. */
  readonly labels?: ReadonlyMap<string, number>
  /** What problems call the text: `text` unless given. */
  readonly path?: string
  /** For `verifier`: name of a helper without `bpf_`, as given to {@link formatInsn}. */
  readonly helperName?: (id: number) => string | undefined
}

/** What {@link parseInsns} found. */
export interface ParsedInsns {
  readonly insns: readonly Insn[]
  /** For each instruction its line, from 1. */
  readonly lines: readonly number[]
  /** Labels of the text, with their slots. */
  readonly labels: ReadonlyMap<string, number>
}

interface Place {
  readonly line: number
  readonly source: string
}

interface OpenUse extends Place {
  readonly use: LabelUse
  readonly tokens: readonly Token[]
  readonly insn: number
  readonly slot: number
}

/** Alternatives beyond this many are not listed. */
const listedAlternatives = 8

const opcodePattern = /^[\da-f]{2}$/

/** The reading of one text. */
interface Reading {
  readonly options: ParseInsnsOptions
  readonly syntax: TextSyntax
  readonly insns: Insn[]
  readonly lines: number[]
  readonly labels: Map<string, number>
  readonly uses: OpenUse[]
  readonly problems: TextProblem[]
  slots: number
}

function report(
  reading: Reading,
  place: Place,
  tokens: readonly Token[],
  at: number,
  expected: string,
  suggestion?: string,
): void {
  const token = tokens[at]
  const last = tokens.at(-1)
  const column = token === undefined ? (last === undefined ? 0 : last.at + last.text.length) : token.at
  reading.problems.push({
    line: place.line,
    column: column + 1,
    expected,
    actual: token === undefined ? 'the end' : quoted(token.text),
    suggestion,
    source: place.source,
  })
}

const quoted = (text: string): string =>
  JSON.stringify(text.length > longestShownName ? `${text.slice(0, longestShownName)}…` : text)

function suggestion(text: string, names: Iterable<string>): string | undefined {
  if (text.length > longestShownName) return undefined
  const near: string[] = []
  for (const name of names) {
    if (near.length === mostSuggested) break
    if (name.length <= longestShownName) near.push(name)
  }
  return nearest(text, near)
}

function reportMisfit(reading: Reading, place: Place, tokens: readonly Token[], misfit: Misfit): void {
  const { at, expected, literals } = misfit
  const token = tokens[at]
  const near = isWord(token) ? suggestion(token.text, literals) : undefined
  const names = [...expected]
  const list =
    names.length > listedAlternatives
      ? `an instruction of dialect ${reading.options.dialect}`
      : names.join(names.length > 2 ? ', ' : ' or ')
  report(reading, place, tokens, at, list, near)
}

function rawInsn(tokens: readonly Token[], start: number): { readonly value: BoundInsn } | Misfit {
  const limits = [
    ['an opcode from 0 to 0xff', 0, 0xff],
    ['a register from 0 to 15', 0, 15],
    ['a register from 0 to 15', 0, 15],
    ['an offset from -32768 to 32767', -0x8000, 0x7fff],
    ['an integer of 32 bits', -0x8000_0000, 0xffff_ffff],
    ['an integer of 32 bits', -0x8000_0000, 0xffff_ffff],
  ] as const
  const values: number[] = []
  const misfit = (at: number, expected: string): Misfit => ({
    at,
    expected: new Set([expected]),
    literals: new Set(),
  })
  let at = start
  for (const [expected, min, max] of limits) {
    if (values.length === 5 && at === tokens.length) break
    if (values.length > 0) {
      if (tokens[at]?.text !== ',') return misfit(at, ',')
      at++
    }
    const sign = tokens[at]?.text
    const number = numberOf(tokens[sign === '-' || sign === '+' ? ++at : at])
    const value = number === undefined ? undefined : Number(sign === '-' ? -number : number)
    if (value === undefined || value < min || value > max) return misfit(at, expected)
    values.push(value)
    at++
  }
  if (at < tokens.length) return misfit(at, 'the end of the instruction')
  const [opcode = 0, dst = 0, src = 0, off = 0, low = 0, high] = values
  if (high !== undefined && opcode !== wideOpcode) return misfit(start, 'opcode 0x18 of a wide instruction')
  const fields = { opcode, dst, src, off, imm: low | 0 }
  const op = opcode === wideOpcode && high === undefined ? 'raw' : opOf(fields)
  return {
    value: { insn: { op, ...fields, nextImm: high === undefined ? undefined : high | 0 }, use: undefined },
  }
}

/** The opcode that stands before an instruction of the verifier's log, and the token after it. */
function prefixedOpcode(tokens: readonly Token[], at: number): number | undefined {
  const [open, digits, close] = tokens.slice(at, at + 3)
  if (open?.text !== '(' || close?.text !== ')' || !opcodePattern.test(digits?.text ?? '')) return undefined
  return Number.parseInt(digits?.text ?? '', 16)
}

function readInsn(reading: Reading, place: Place, tokens: readonly Token[], from: number): void {
  const { syntax, options } = reading
  let start = from
  const opcode = syntax.opcodes ? prefixedOpcode(tokens, from) : undefined
  if (opcode !== undefined) start += 3
  const fitted =
    syntax.rawInsns && tokens[start]?.text === rawDirective
      ? rawInsn(tokens, start + 1)
      : fitTemplates(templatesOf(options.dialect), tokens, start, syntax, (row, bound) =>
          opcode === undefined || row.opcode === opcode
            ? bindOperands(row, bound, options.helperName)
            : { expected: `the opcode ${opcodePrefix(row.opcode).trim()}`, at: start - 2 },
        )
  if (!('value' in fitted)) {
    reportMisfit(reading, place, tokens, fitted)
    return
  }
  const { insn, use } = fitted.value
  if (use !== undefined)
    reading.uses.push({ ...place, use, tokens, insn: reading.insns.length, slot: reading.slots })
  if (syntax.exitLabel && insn.op === 'exit' && exitSlot(reading) === undefined)
    reading.labels.set(implicitExit, reading.slots)
  reading.insns.push(insn)
  reading.lines.push(place.line)
  reading.slots += slotsOf(insn)
}

/** A name that no label has. */
const implicitExit = ' exit'
const exitSlot = (reading: Reading): number | undefined => reading.labels.get(implicitExit)

/** Labels before an instruction, and what the verifier's log numbers it by. */
function readLabels(reading: Reading, place: Place, tokens: readonly Token[]): number {
  let at = 0
  for (; tokens[at + 1]?.text === ':'; at += 2) {
    const name = tokens[at]
    if (isWord(name)) {
      if (reading.labels.has(name.text)) report(reading, place, tokens, at, 'a label that is not defined yet')
      reading.labels.set(name.text, reading.slots)
    } else if (!reading.syntax.opcodes || numberOf(name) === undefined) break
  }
  return at
}

/** Without what a disassembler writes in angle brackets behind a jump. */
function withoutAnnotation(tokens: readonly Token[], syntax: TextSyntax): readonly Token[] {
  if (!syntax.annotations || tokens.at(-1)?.text !== '>') return tokens
  const start = tokens.findLastIndex((token) => token.text === '<')
  return start > 0 ? tokens.slice(0, start) : tokens
}

function statements(tokens: readonly Token[], syntax: TextSyntax): readonly (readonly Token[])[] {
  if (!syntax.semicolons || !tokens.some((token) => token.text === ';')) return [tokens]
  const list: Token[][] = [[]]
  for (const token of tokens) {
    if (token.text === ';') list.push([])
    else list.at(-1)?.push(token)
  }
  return list
}

function resolveLabels(reading: Reading): void {
  const { labels, options } = reading
  for (const open of reading.uses) {
    if (reading.problems.length >= maxTextProblems) break
    const { use, insn: index, slot, tokens } = open
    const insn = reading.insns[index]
    if (insn === undefined || insn.op === 'raw') continue
    const target =
      labels.get(use.label) ??
      options.labels?.get(use.label) ??
      (use.label === implicitExit.trim() ? exitSlot(reading) : undefined)
    if (target === undefined) {
      const known = [...labels.keys(), ...(options.labels?.keys() ?? [])].filter(
        (name) => name !== implicitExit,
      )
      report(reading, open, tokens, use.at, 'a label that is defined', suggestion(use.label, known))
      continue
    }
    const distance = target - slot - slotsOf(insn)
    const bits = use.field === 'off' ? 16 : 32
    if (distance < -(2 ** (bits - 1)) || distance >= 2 ** (bits - 1)) {
      report(reading, open, tokens, use.at, `a label that ${bits} bits reach, not ${distance} slots away`)
      continue
    }
    reading.insns[index] = { ...insn, [use.field]: distance }
  }
}

/**
 * Reads a listing of instructions: one to a line, labels before them (`loop:`), comments and empty lines between them.
 * Jumps and calls reach labels, or the slots that a distance says; a wide instruction fills two slots.
 *
 * `llvm` takes what llvm-objdump prints after the bytes, with the label it may write in angle brackets, and `;` between
 * instructions; 32-bit calls, `call 1`, are helpers and `call label` is a subprogram. `verifier` takes lines of the
 * kernel's log, with the index and opcode that may stand before them. `conformance` takes the assembly of the BPF
 * conformance tests, in which `exit` is also a label, of the first `exit`; it can say every slot there is.
 * What a dialect does not write down is read as zero: see the package's README.
 *
 * Errors: `ISA_TEXT`, with all problems of the text, 100 at most, in order of lines.
 * Time is linear in the length of the text.
 *
 * @example
 * ```ts
 * import { formatInsn, parseInsns } from '@tsbpf/isa'
 * const { insns } = parseInsns('loop: r1 += -1\nif r1 != 0 goto loop\nexit', { dialect: 'llvm' })
 * console.log(insns.map((insn) => formatInsn(insn, 'conformance'))) // add %r1, -1; jne %r1, 0, -2; exit
 * ```
 */
export function parseInsns(text: string, options: ParseInsnsOptions): ParsedInsns {
  const reading: Reading = {
    options,
    syntax: textSyntax[options.dialect],
    insns: [],
    lines: [],
    labels: new Map(),
    uses: [],
    problems: [],
    slots: 0,
  }
  let line = 0
  for (const source of text.split(/\r?\n/)) {
    line++
    const place = { line, source }
    for (const statement of statements(lexLine(source, reading.syntax.comments), reading.syntax)) {
      const tokens = withoutAnnotation(statement, reading.syntax)
      const at = readLabels(reading, place, tokens)
      if (at < tokens.length) readInsn(reading, place, tokens, at)
      if (reading.problems.length >= maxTextProblems) break
    }
    if (reading.problems.length >= maxTextProblems) break
  }
  // A line that is no instruction moves all labels behind it: distances are then not worth a word.
  resolveLabels(reading)
  const { insns, lines, labels, problems } = reading
  if (problems.length > 0) throw failure(options, problems)
  labels.delete(implicitExit)
  return { insns, lines, labels }
}

function failure(options: ParseInsnsOptions, problems: readonly TextProblem[]): Error {
  return errors.ISA_TEXT({
    path: options.path ?? 'text',
    dialect: options.dialect,
    problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, maxTextProblems),
  })
}

/**
 * Reads one instruction; the inverse of {@link formatInsn} where the dialect writes down all of it.
 *
 * Errors: `ISA_TEXT` for anything but one instruction, for what a field cannot hold, and for a label.
 *
 * @example
 * ```ts
 * import { parseInsn } from '@tsbpf/isa'
 * console.log(parseInsn('r1 = *(u64 *)(r10 - 0x8)', 'llvm')) // ldxdw: dst 1, src 10, off -8
 * console.log(parseInsn('lock fetch add [%r10-8], %r1', 'conformance').op) // atomic_fetch_add64
 * ```
 */
export function parseInsn(text: string, dialect: Dialect): Insn {
  const { insns } = parseInsns(text, { dialect })
  const [insn] = insns
  if (insn !== undefined && insns.length === 1) return insn
  throw failure({ dialect }, [
    {
      line: 1,
      column: 1,
      expected: 'one instruction',
      actual: String(insns.length),
      suggestion: undefined,
      source: text.split('\n', 1)[0] ?? '',
    },
  ])
}
