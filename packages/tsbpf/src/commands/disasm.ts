import { disassembleObject, formatAssembly, formatCallGraph, formatFlowGraph } from '@tsbpf/asm'
import type { DisassembledFunction, DisassembledLine } from '@tsbpf/asm'
import { hexBytes } from '@tsbpf/base'
import { symbolTypes } from '@tsbpf/elf'
import type { ElfFile, ElfSection } from '@tsbpf/elf'
import { labelsOf } from '@tsbpf/isa'
import type { Dialect, Label } from '@tsbpf/isa'
import type { FunctionSpec, LineInfo, ObjectSpec } from '@tsbpf/object'
import { errors } from '../errors.ts'
import { functionsInFileOrder, sectionOf } from '../file-order.ts'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { paintFor } from '../paint.ts'
import type { Paint } from '../paint.ts'
import { readObject } from '../read-object.ts'
import { printable } from '../text-table.ts'

/** Graphs that `--graph` draws, and how. */
export type Graph = 'cfg' | 'calls'
export type GraphFormat = 'dot' | 'svg'

/** Options of {@link disasm}. */
export interface DisasmOptions {
  readonly json: boolean
  readonly program: string | undefined
  readonly dialect: Dialect
  readonly source: boolean
  /** The whole object as a text for the assembler. */
  readonly assembly: boolean
  /** A graph in the place of text. */
  readonly graph: Graph | undefined
  readonly format: GraphFormat
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

/** `tsbpf disasm OBJ`: the instructions of each function as text or as a graph, or the whole object for the assembler. */
export async function disasm(io: Io, file: string, options: DisasmOptions): Promise<number> {
  const { elf, spec } = await readObject(file)
  const { dialect, source, assembly } = options
  if (assembly) {
    for (const line of formatAssembly(spec, { dialect, source: source ? 'between' : 'none' })) {
      io.stdout.write(`${line}\n`)
    }
    return 0
  }
  const selected = select(functionsInFileOrder(spec, elf), options.program)
  if (options.graph !== undefined) {
    const dot = graphText(spec, selected, options.graph, options)
    if (options.format === 'dot') io.stdout.write(dot)
    else {
      const { layOut } = await import('../lay-out.ts')
      io.stdout.write(await layOut(dot))
    }
    return 0
  }
  const byFunction = new Map<FunctionSpec, readonly DisassembledLine[]>()
  const labelOf = (fn: FunctionSpec) => {
    const section = sectionOf(elf, fn)
    return section === undefined ? undefined : labelsOf(section.name, labelsIn(elf, section))
  }
  for (const { function: fn, lines } of disassembleObject(spec, { dialect, labelOf }))
    byFunction.set(fn, lines)

  const paint = paintFor(io, io.stdout)
  const document: { program: string; insns: readonly InsnLine[] }[] = []
  for (const [index, fn] of selected.entries()) {
    const lines = byFunction.get(fn) ?? []
    if (options.json) document.push({ program: fn.name, insns: lines.map(insnLine) })
    else {
      const sameSection = fn.section === selected[index - 1]?.section
      if (!sameSection)
        io.stdout.write(`${index === 0 ? '' : '\n'}Disassembly of section ${printable(fn.section)}:\n`)
      io.stdout.write(functionText(paint, fn, lines, source))
    }
  }
  if (options.json) io.stdout.write(toJsonDocument(document))
  return 0
}

function graphText(
  spec: ObjectSpec,
  selected: readonly FunctionSpec[],
  graph: Graph,
  { dialect, source }: DisasmOptions,
): string {
  const byFunction = new Map<FunctionSpec, DisassembledFunction>()
  for (const one of disassembleObject(spec, { dialect })) byFunction.set(one.function, one)
  const functions = selected.flatMap((fn) => byFunction.get(fn) ?? [])
  return graph === 'calls'
    ? formatCallGraph(functions)
    : formatFlowGraph(functions, { source: source ? 'between' : 'none' })
}

function select(functions: readonly FunctionSpec[], name: string | undefined): readonly FunctionSpec[] {
  if (name === undefined) return functions
  const selected = functions.filter((fn) => fn.name === name)
  if (selected.length > 0) return selected
  throw errors.CLI_PROGRAM({ name, names: functions.map((fn) => fn.name) })
}

function insnLine({ index, bytes, text, symbol, source }: DisassembledLine): InsnLine {
  return {
    index,
    bytes: hexBytes(bytes),
    text,
    symbol: symbol ?? null,
    line:
      source === undefined
        ? null
        : { file: source.file, line: source.line, column: source.column, text: source.text },
  }
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

function functionText(
  paint: Paint,
  fn: FunctionSpec,
  lines: readonly DisassembledLine[],
  between: boolean,
): string {
  const parts = [`\n${fn.sectionOffset.toString(16).padStart(16, '0')} <${printable(fn.name)}>:\n`]
  const note = (text: string): void => {
    parts.push(`\t\t${paint.cyan(printable(text))}\n`)
  }
  let shown: LineInfo | undefined
  for (const { index, bytes, text, symbol, helper, core, source } of lines) {
    if (between && source !== undefined && (source.file !== shown?.file || source.line !== shown.line)) {
      parts.push(`${paint.dim(`; ${printable(source.text)} @ ${printable(source.file)}:${source.line}`)}\n`)
      shown = source
    }
    parts.push(`${String(index).padStart(8)}:\t${paint.dim(hexBytes(bytes))}\t${printable(text)}\n`)
    const named = symbol ?? helper
    if (named !== undefined) note(`-> ${named}`)
    for (const relocation of core) note(`CO-RE ${relocation}`)
  }
  return parts.join('')
}
