import type { Dialect } from '../format.ts'
import { formatInsn } from '../format.ts'
import type { FormatOptions } from '../text-template.ts'
import type { CallNode } from './call-graph.ts'
import type { ControlFlow } from './control-flow.ts'

/** A function that {@link flowToDot} draws. */
export interface DrawnFlow {
  readonly name: string
  readonly flow: ControlFlow
  /** Lines of text for an instruction, by its place in `insns`: its slot and what the dialect says unless given. */
  readonly linesOf?: (place: number) => readonly string[]
}

/** Options of {@link flowToDot}. */
export interface FlowDotOptions extends FormatOptions {
  /** `llvm` unless given. */
  readonly dialect?: Dialect
  /** Name of the graph: `flow` unless given. */
  readonly name?: string
}

/**
 * Text between quotes that Graphviz shows as it is: what would be an entity or an escape is no more, and what neither a line
 * nor XML can hold becomes a space.
 */
const quoted = (text: string): string =>
  `"${text
    .replaceAll('&', '&amp;')
    .replaceAll(/[\\"]/g, String.raw`\$&`)
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, ' ')}"`

/** Lines of a label, each of which ends at the left. */
const lines = (texts: readonly string[]): string =>
  `"${texts.map((text) => `${quoted(text).slice(1, -1)}\\l`).join('')}"`

const edges = {
  next: { colour: 'gray40', text: 'fall-through' },
  taken: { colour: 'blue', text: 'taken' },
} as const

/** The font of one width whose metrics are built into Graphviz. */
const font = 'fontname="Courier"'

function* blocksText(
  { flow, linesOf }: DrawnFlow,
  prefix: string,
  slotText: (place: number) => readonly string[],
): Generator<string, void, undefined> {
  const textOf = linesOf ?? slotText
  for (const { index, first, last, successors, strays, indirect } of flow.blocks) {
    const own = `${prefix}b${index}`
    const texts: string[] = []
    for (let place = first; place < last; place++) texts.push(...textOf(place))
    yield `${own} [label=${lines(texts)}]`
    const choice = successors.length + strays.length > 1
    for (const { to, kind } of successors) {
      const { colour, text } = edges[kind]
      const label = choice ? `, taillabel="${text}"` : ''
      const back = to <= index ? ', penwidth=2' : ''
      yield `${own} -> ${prefix}b${to} [color=${colour}${label}${back}]`
    }
    for (const slot of strays) {
      yield `${prefix}s${slot} [label=${quoted(`slot ${slot}`)}, style=dashed]`
      yield `${own} -> ${prefix}s${slot} [color=red]`
    }
    if (indirect) yield `${own} -> ${prefix}any [style=dotted]`
  }
  if (flow.blocks.some(({ indirect }) => indirect)) yield `${prefix}any [label="any block", style=dotted]`
}

/**
 * The basic blocks of functions as a graph in the DOT language, which Graphviz lays out: a frame for each function, in it a
 * box for each block with its instructions and slots. Edges of jumps that are taken are blue, those to what follows grey, those
 * that lead nowhere red; what leads back, as each loop does, is bold. Names may hold any characters.
 *
 * @example
 * ```ts
 * import { controlFlow, flowToDot, parseInsns } from '@tsbpf/isa'
 * const flow = controlFlow(parseInsns('r0 = 0\nexit', { dialect: 'llvm' }).insns)
 * console.log(flowToDot([{ name: 'main', flow }]))
 * ```
 */
export function flowToDot(functions: readonly DrawnFlow[], options: FlowDotOptions = {}): string {
  const { dialect = 'llvm', name = 'flow' } = options
  const parts = [`digraph ${quoted(name)} {`, `  graph [${font}]`]
  parts.push(`  node [shape=box, ${font}]`, `  edge [${font}, fontsize=9]`)
  for (const [index, drawn] of functions.entries()) {
    const { insns, slots } = drawn.flow
    const slotText = (place: number): readonly string[] => {
      const insn = insns[place]
      return insn === undefined ? [] : [`${slots[place] ?? 0}: ${formatInsn(insn, dialect, options)}`]
    }
    parts.push(`  subgraph cluster_${index} {`, `    label=${quoted(drawn.name)}`)
    for (const text of blocksText(drawn, `f${index}`, slotText)) parts.push(`    ${text}`)
    parts.push('  }')
  }
  return `${[...parts, '}'].join('\n')}\n`
}

/** Options of {@link callsToDot}. */
export interface CallDotOptions {
  /** Lines of text for a function, by its index: `slot 12` unless given. */
  readonly linesOf?: (index: number) => readonly string[] | undefined
  /** Name of the graph: `calls` unless given. */
  readonly name?: string
}

/**
 * The call graph of a program in the DOT language: dashed edges for functions that are called back.
 *
 * @example
 * ```ts
 * import { callGraph, callsToDot, parseInsns } from '@tsbpf/isa'
 * console.log(callsToDot(callGraph(parseInsns('r0 = 0\nexit', { dialect: 'llvm' }).insns)))
 * ```
 */
export function callsToDot(
  { functions }: { readonly functions: readonly Pick<CallNode, 'index' | 'start' | 'calls'>[] },
  options: CallDotOptions = {},
): string {
  const parts = [`digraph ${quoted(options.name ?? 'calls')} {`, `  node [shape=box, ${font}]`]
  for (const { index, start, calls } of functions) {
    parts.push(`  f${index} [label=${lines(options.linesOf?.(index) ?? [`slot ${start}`])}]`)
    const seen = new Set(calls.map(({ to, kind }) => `f${to}${kind === 'callback' ? ' [style=dashed]' : ''}`))
    for (const edge of seen) parts.push(`  f${index} -> ${edge}`)
  }
  return `${[...parts, '}'].join('\n')}\n`
}
