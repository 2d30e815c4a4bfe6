import type { Dialect } from '../format.ts'
import { formatInsn } from '../format.ts'
import type { FormatOptions } from '../text-template.ts'
import type { CallGraph } from './call-graph.ts'
import type { ControlFlow } from './control-flow.ts'

/** Options of {@link flowToDot}. */
export interface FlowDotOptions extends FormatOptions {
  /** `llvm` unless given. */
  readonly dialect?: Dialect
  /** Name of the graph: `flow` unless given. */
  readonly name?: string
}

/** Text between quotes; what is no letter of a line becomes a space. */
const quoted = (text: string): string => `"${text.replaceAll(/[\\"]/g, '\\$&').replaceAll(/\p{Cc}/gu, ' ')}"`

/** Lines of a label, each of which ends at the left. */
const lines = (texts: readonly string[]): string =>
  `"${texts.map((text) => `${quoted(text).slice(1, -1)}\\l`).join('')}"`

const colours = { next: 'gray40', taken: 'blue' } as const

/**
 * The basic blocks of a function as a graph in the DOT language, which Graphviz lays out: a box for each block with its
 * instructions and slots, blue edges for jumps that are taken, red ones for those that lead nowhere.
 *
 * @example
 * ```ts
 * import { controlFlow, flowToDot, parseInsns } from '@tsbpf/isa'
 * console.log(flowToDot(controlFlow(parseInsns('r0 = 0\nexit', { dialect: 'llvm' }).insns)))
 * ```
 */
export function flowToDot(flow: ControlFlow, options: FlowDotOptions = {}): string {
  const { dialect = 'llvm', name = 'flow' } = options
  const parts = [`digraph ${quoted(name)} {`, '  node [shape=box, fontname=monospace]']
  for (const { index, first, last, successors, strays, indirect } of flow.blocks) {
    const texts = flow.insns
      .slice(first, last)
      .map((insn, i) => `${flow.slots[first + i] ?? 0}: ${formatInsn(insn, dialect, options)}`)
    parts.push(`  b${index} [label=${lines(texts)}]`)
    for (const { to, kind } of successors) parts.push(`  b${index} -> b${to} [color=${colours[kind]}]`)
    for (const slot of strays) {
      parts.push(`  s${slot} [label=${quoted(`slot ${slot}`)}, style=dashed]`)
      parts.push(`  b${index} -> s${slot} [color=red]`)
    }
    if (indirect) parts.push(`  b${index} -> any [style=dotted]`)
  }
  return `${[...parts, '}'].join('\n')}\n`
}

/** Options of {@link callsToDot}. */
export interface CallDotOptions {
  /** Name of a function by the slot where it begins: `slot 12` unless given. */
  readonly nameOf?: (start: number) => string | undefined
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
export function callsToDot({ functions }: CallGraph, options: CallDotOptions = {}): string {
  const parts = [`digraph ${quoted(options.name ?? 'calls')} {`]
  for (const { index, start, calls } of functions) {
    parts.push(`  f${index} [label=${quoted(options.nameOf?.(start) ?? `slot ${start}`)}]`)
    const seen = new Set(calls.map(({ to, kind }) => `f${to}${kind === 'callback' ? ' [style=dashed]' : ''}`))
    for (const edge of seen) parts.push(`  f${index} -> ${edge}`)
  }
  return `${[...parts, '}'].join('\n')}\n`
}
