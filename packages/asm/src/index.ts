export * from '@tsbpf/isa'
export * from './builder/index.ts'
export { assemble, assembleInsns, assembleObject } from './text/assemble.ts'
export type { AssembleOptions } from './text/assemble.ts'
export { disassembleObject } from './disasm/disassemble-object.ts'
export type {
  DisassembledFunction,
  DisassembledLine,
  DisassembleObjectOptions,
} from './disasm/disassemble-object.ts'
export { formatAssembly } from './disasm/format-assembly.ts'
export type { FormatAssemblyOptions } from './disasm/format-assembly.ts'
export { formatCallGraph, formatFlowGraph } from './disasm/format-graph.ts'
export type { FormatFlowGraphOptions } from './disasm/format-graph.ts'
