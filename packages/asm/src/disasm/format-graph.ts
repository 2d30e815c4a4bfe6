import { callsToDot, controlFlow, flowToDot, stackUse } from '@tsbpf/isa'
import type { CallNode, Insn, SubprogramCall } from '@tsbpf/isa'
import type { FunctionSpec, LineInfo } from '@tsbpf/object'
import type { DisassembledFunction, DisassembledLine } from './disassemble-object.ts'

/** Options of {@link formatFlowGraph}. */
export interface FormatFlowGraphOptions {
  /** `between` puts lines of C before the instructions that they became; `none` unless given. */
  readonly source?: 'between' | 'none'
}

/** The lines of an instruction in its block: what leads there, C, what CO-RE asks, and the instruction. */
function insnLines(
  { index, label, core, assembly, source }: DisassembledLine,
  shown: LineInfo | undefined,
): readonly string[] {
  return [
    ...(label === undefined ? [] : [`${label}:`]),
    ...(source === undefined || (source.file === shown?.file && source.line === shown.line)
      ? []
      : [`; ${source.line}: ${source.text.trim()}`]),
    ...core.map((text) => `; CO-RE ${text}`),
    `${index}: ${assembly}`,
  ]
}

/**
 * The control-flow graphs of functions in the DOT language, which Graphviz lays out: a frame for each function with a box for each
 * basic block, in it the instructions with the names of what they refer to, as {@link disassembleObject} gives them.
 *
 * Edges say `taken` and `fall-through` where a block has a choice; those that lead back, as each loop does, are bold. Names
 * and lines of the object may hold any characters. Time and length of the text are linear in the instructions.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { disassembleObject, formatFlowGraph } from '@tsbpf/asm'
 * import { parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('syscount.bpf.o'))
 * console.log(formatFlowGraph(disassembleObject(spec), { source: 'between' }))
 * ```
 */
export function formatFlowGraph(
  functions: Iterable<DisassembledFunction>,
  options: FormatFlowGraphOptions = {},
): string {
  const between = options.source === 'between'
  const drawn = Array.from(functions, ({ function: fn, lines }) => ({
    name: fn.name,
    flow: controlFlow(lines.map(({ insn }) => insn)),
    linesOf: (place: number) => {
      const line = lines[place]
      if (line === undefined) return []
      return insnLines(line, between ? lines[place - 1]?.source : line.source)
    },
  }))
  return flowToDot(drawn)
}

/** Calls of a function, in the order of its instructions, and the names of those that its object does not define. */
function callsOf(
  { relocations }: FunctionSpec,
  indexes: ReadonlyMap<string, number>,
): { readonly calls: readonly SubprogramCall[]; readonly externs: readonly string[] } {
  const calls: SubprogramCall[] = []
  const externs: string[] = []
  for (const { insn, ref } of relocations) {
    if (ref.kind === 'extern' && ref.use === 'call') externs.push(ref.name)
    if (ref.kind !== 'subprogram') continue
    const to = indexes.get(ref.name)
    if (to !== undefined) calls.push({ at: insn, to, kind: ref.use === 'call' ? 'call' : 'callback' })
  }
  return { calls, externs }
}

/**
 * The call graph of an object in the DOT language: a box for each function with the bytes of stack that it uses, the helpers
 * and the kfuncs that it calls; dashed edges for functions that are called back.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { disassembleObject, formatCallGraph } from '@tsbpf/asm'
 * import { parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('syscount.bpf.o'))
 * console.log(formatCallGraph(disassembleObject(spec)))
 * ```
 */
export function formatCallGraph(functions: Iterable<DisassembledFunction>): string {
  const all = [...functions]
  const indexes = new Map(all.map(({ function: fn }, index) => [fn.name, index]))
  const insns: Insn[] = []
  const nodes: CallNode[] = []
  const named: (readonly string[])[] = []
  for (const [index, { function: fn, lines }] of all.entries()) {
    const { calls, externs } = callsOf(fn, indexes)
    const first = insns.length
    for (const { insn } of lines) insns.push(insn)
    nodes.push({ index, start: 0, end: 0, first, last: insns.length, calls, helpers: [], kfuncs: [] })
    named.push([...new Set([...lines.flatMap(({ helper }) => helper ?? []), ...externs])])
  }
  // No order: calls of an object may go in circles, and a chain has its depth only from one program on.
  const { own, exact } = stackUse({ insns, functions: nodes, recursive: true, order: [], strays: [] })
  return callsToDot(
    { functions: nodes },
    {
      linesOf: (index) => [
        all[index]?.function.name ?? '',
        `stack ${own[index] ?? 0}${exact[index] === false ? ' or more' : ''}`,
        ...(named[index] ?? []),
      ],
    },
  )
}
