import { aluRows } from './alu-rows.ts'
import type { ConformanceGroup, InsnRow } from './insn-row.ts'
import { jumpRows } from './jump-rows.ts'
import { memoryRows } from './memory-rows.ts'

const rows = [...aluRows, ...memoryRows, ...jumpRows] as const

/** Name of an instruction of the set: `add64_imm`, `ldxw`, `call_subprogram`. */
export type OpName = (typeof rows)[number]['name']

/**
 * The instruction set: one row for each instruction, recognised by its opcode and by the fields that the row fixes.
 * Encoding, decoding, printing, arbitraries for tests and conformance groups all derive from these rows.
 * Each row cites RFC 9669 or a kernel path in `source`.
 *
 * @example
 * ```ts
 * import { instructionSet } from '@tsbpf/isa'
 * console.log(instructionSet.filter((row) => row.group === 'divmul32').map((row) => row.name))
 * ```
 */
export const instructionSet: readonly InsnRow<OpName>[] = rows

const byName: ReadonlyMap<string, InsnRow<OpName>> = /* @__PURE__ */ new Map(
  instructionSet.map((row) => [row.name, row]),
)

/**
 * The row of an instruction's name; `undefined` for a name that is not in the set, such as `raw`.
 *
 * @example
 * ```ts
 * import { rowOf } from '@tsbpf/isa'
 * console.log(rowOf('exit').opcode) // 149
 * ```
 */
export function rowOf(op: OpName): InsnRow<OpName>
export function rowOf(op: string): InsnRow<OpName> | undefined
export function rowOf(op: string): InsnRow<OpName> | undefined {
  return byName.get(op)
}

/** Groups that a group contains, itself first (RFC 9669 section 2.4). */
const includes: Readonly<Record<ConformanceGroup, readonly ConformanceGroup[]>> = {
  base32: ['base32'],
  base64: ['base64', 'base32'],
  atomic32: ['atomic32'],
  atomic64: ['atomic64', 'atomic32'],
  divmul32: ['divmul32'],
  divmul64: ['divmul64', 'divmul32'],
  packet: ['packet'],
}

/**
 * Every instruction of a conformance group, with those of the groups that it contains.
 *
 * @example
 * ```ts
 * import { instructionsOf } from '@tsbpf/isa'
 * console.log(instructionsOf('packet').length) // 6
 * ```
 */
export function instructionsOf(group: ConformanceGroup): readonly InsnRow<OpName>[] {
  const groups = includes[group]
  return instructionSet.filter((row) => row.group !== undefined && groups.includes(row.group))
}
