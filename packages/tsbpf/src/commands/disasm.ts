import { hexBytes } from '@tsbpf/base'
import { symbolTypes } from '@tsbpf/elf'
import type { ElfFile, ElfSection } from '@tsbpf/elf'
import { disassemble, labelsOf } from '@tsbpf/isa'
import type { Dialect, Label } from '@tsbpf/isa'
import type { FunctionSpec, LineInfo } from '@tsbpf/object'
import { errors } from '../errors.ts'
import { functionsInFileOrder, sectionOf } from '../file-order.ts'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { operandSymbols } from '../operand-symbol.ts'
import { paintFor } from '../paint.ts'
import type { Paint } from '../paint.ts'
import { readObject } from '../read-object.ts'
import { printable } from '../text-table.ts'

/** Options of {@link disasm}. */
export interface DisasmOptions {
  readonly json: boolean
  readonly program: string | undefined
  readonly dialect: Dialect
  readonly source: boolean
}

/** One instruction of `disasm --json`; docs/schemas/disasm.schema.json describes it. */
interface InsnLine {
  readonly index: number
  readonly bytes: string
  readonly text: string
  readonly symbol: string | null
  readonly line: {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly text: string
  } | null
}

/** `tsbpf disasm OBJ`: the instructions of each function as text. */
export async function disasm(io: Io, file: string, options: DisasmOptions): Promise<number> {
  const { elf, spec } = await readObject(file)
  const functions = select(functionsInFileOrder(spec, elf), options.program)
  const symbolOf = operandSymbols(spec)
  const paint = paintFor(io, io.stdout)

  const document: { program: string; insns: readonly InsnLine[] }[] = []
  for (const [index, fn] of functions.entries()) {
    const insns = insnLines(fn, elf, options.dialect, symbolOf)
    if (options.json) document.push({ program: fn.name, insns })
    else {
      const sameSection = fn.section === functions[index - 1]?.section
      if (!sameSection)
        io.stdout.write(`${index === 0 ? '' : '\n'}Disassembly of section ${printable(fn.section)}:\n`)
      io.stdout.write(functionText(paint, fn, insns, options.source))
    }
  }
  if (options.json) io.stdout.write(toJsonDocument(document))
  return 0
}

function select(functions: readonly FunctionSpec[], name: string | undefined): readonly FunctionSpec[] {
  if (name === undefined) return functions
  const selected = functions.filter((fn) => fn.name === name)
  if (selected.length > 0) return selected
  throw errors.CLI_PROGRAM({ name, names: functions.map((fn) => fn.name) })
}

function insnLines(
  fn: FunctionSpec,
  elf: ElfFile,
  dialect: Dialect,
  symbolOf: ReturnType<typeof operandSymbols>,
): readonly InsnLine[] {
  const section = sectionOf(elf, fn)
  const symbols = new Map(fn.relocations.map(({ insn, ref }) => [insn, symbolOf(ref)]))
  const lines: InsnLine[] = []
  let next = 0
  let line: LineInfo | undefined
  const insns = disassemble(fn.insns, {
    littleEndian: elf.littleEndian,
    dialect,
    sectionOffset: fn.sectionOffset,
    ...(section === undefined ? {} : { labelOf: labelsOf(section.name, labelsIn(elf, section)) }),
  })
  for (const { index, bytes, text } of insns) {
    for (; (fn.lineInfo[next]?.insn ?? Infinity) <= index; next++) line = fn.lineInfo[next]
    lines.push({
      index,
      bytes: hexBytes(bytes),
      text,
      symbol: symbols.get(index) ?? null,
      line:
        line === undefined
          ? null
          : { file: line.file, line: line.line, column: line.column, text: line.text },
    })
  }
  return lines
}

/** The symbols of a section that llvm-objdump names places after. */
function labelsIn(elf: ElfFile, section: ElfSection): readonly Label[] {
  const unnamed: readonly number[] = [symbolTypes.value('section'), symbolTypes.value('file')]
  return elf.symbols
    .filter(
      ({ type, section: index, name }) => index === section.index && name !== '' && !unnamed.includes(type),
    )
    .map(({ name, value }) => ({ name, offset: Number(value) }))
}

function functionText(paint: Paint, fn: FunctionSpec, insns: readonly InsnLine[], source: boolean): string {
  const parts = [`\n${fn.sectionOffset.toString(16).padStart(16, '0')} <${printable(fn.name)}>:\n`]
  let shown: InsnLine['line'] = null
  for (const insn of insns) {
    const { line } = insn
    if (source && line !== null && (line.file !== shown?.file || line.line !== shown.line)) {
      parts.push(`${paint.dim(`; ${printable(line.text)} @ ${printable(line.file)}:${line.line}`)}\n`)
      shown = line
    }
    parts.push(`${String(insn.index).padStart(8)}:\t${paint.dim(insn.bytes)}\t${printable(insn.text)}\n`)
    if (insn.symbol !== null) parts.push(`\t\t${paint.cyan(`-> ${printable(insn.symbol)}`)}\n`)
  }
  return parts.join('')
}
