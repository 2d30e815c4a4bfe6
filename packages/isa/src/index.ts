export { decodeInsn, decodeInsns, encodeInsn, encodeInsns, opOf } from './codec.ts'
export type { InsnAt } from './codec.ts'
export { disassemble, labelsOf, targetOf } from './disassemble.ts'
export type { DisassembledInsn, DisassembleOptions, Label } from './disassemble.ts'
export { dialects, formatInsn } from './format.ts'
export type { Dialect } from './format.ts'
export { formatLlvm } from './format-llvm.ts'
export type { ConformanceGroup, FieldUse, InsnRow, InsnText } from './insn-row.ts'
export { InsnView, swapInsns } from './insn-view.ts'
export type { InsnByteOrder } from './insn-view.ts'
export type { FormatOptions } from './text-template.ts'
export { parseInsn, parseInsns } from './parse-insns.ts'
export type { ParsedInsns, ParseInsnsOptions } from './parse-insns.ts'
export { describeProblem } from './text-problem.ts'
export type { TextProblem } from './text-problem.ts'
export { imm64Of, makeInsn, slotsOf } from './insn.ts'
export type { Insn, InsnOperands, Op } from './insn.ts'
export { instructionSet, instructionsOf, rowOf } from './instruction-set.ts'
export type { OpName } from './instruction-set.ts'
export {
  accessBytesOf,
  accessModeOf,
  accessModes,
  accessSizes,
  insnClasses,
  insnClassOf,
  sourceOperands,
  withAccessBytes,
} from './opcode.ts'
export type { InsnClass } from './opcode.ts'
export { callGraph } from './flow/call-graph.ts'
export type { CallGraph, CallNode, SubprogramCall } from './flow/call-graph.ts'
export { controlFlow } from './flow/control-flow.ts'
export type { BasicBlock, ControlFlow, FlowEdge } from './flow/control-flow.ts'
export { dominators } from './flow/dominators.ts'
export type { Dominators } from './flow/dominators.ts'
export { callsToDot, flowToDot } from './flow/dot.ts'
export type { CallDotOptions, DrawnFlow, FlowDotOptions } from './flow/dot.ts'
export { liveness } from './flow/liveness.ts'
export type { Liveness } from './flow/liveness.ts'
export { registerUse } from './flow/register-use.ts'
export type { RegisterUse, RegisterUseOptions } from './flow/register-use.ts'
export { stackUse } from './flow/stack-use.ts'
export type { StackUse, StackUseOptions } from './flow/stack-use.ts'
