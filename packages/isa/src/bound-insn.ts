import { helperNames } from '@tsbpf/uapi/helpers'
import type { Insn, InsnOperands } from './insn.ts'
import { makeInsn } from './insn.ts'
import type { InsnRow } from './insn-row.ts'
import type { OpName } from './instruction-set.ts'
import type { BoundOperand } from './template-tree.ts'

/** A jump or call whose distance is to be filled in. */
export interface LabelUse {
  readonly label: string
  readonly field: 'off' | 'imm'
  /** Token where the label stands. */
  readonly at: number
}

/** An instruction as its text says it. */
export interface BoundInsn {
  readonly insn: Insn
  readonly use: LabelUse | undefined
}

interface Rejected {
  readonly expected: string
  readonly at: number
}

/** Name of a helper with `bpf_`, as the verifier prints it. */
const helperText = (name: string): string => `bpf_${name}`

function checkFunction(
  row: InsnRow,
  name: string,
  id: number,
  known: string | undefined,
): string | undefined {
  const own = known ?? helperNames.byValue(id)?.name
  if (row.name === 'call') {
    if (name === 'unknown' || (own !== undefined && name === helperText(own))) return undefined
    return own === undefined ? `unknown#${id}` : `${helperText(own)}#${id}`
  }
  // A helper's name with another number is a mistake, not a kfunc.
  if (name === 'unknown' || (own !== undefined && name === helperText(own))) return 'a kfunc'
  const named = name.startsWith('bpf_') ? helperNames.byName(name.slice(4)) : undefined
  return named === undefined ? undefined : `${name}#${named.value}`
}

/** Makes the instruction of a row from operands that fitted its template. */
export function bindOperands(
  row: InsnRow<OpName>,
  bound: readonly BoundOperand[],
  helperName?: (id: number) => string | undefined,
): { readonly value: BoundInsn } | Rejected {
  const fields: { -readonly [K in keyof InsnOperands]: InsnOperands[K] } = {}
  let use: LabelUse | undefined
  let callee: { readonly name: string; readonly at: number } | undefined
  for (const { operand, value, at } of bound) {
    if (typeof value === 'string') {
      if (operand === 'helper' || operand === 'kfunc') callee = { name: value, at }
      else use = { label: value, field: row.target ?? 'off', at }
      continue
    }
    if (typeof value === 'bigint') {
      fields.imm64 = value
      continue
    }
    if (operand === 'dst' || operand === 'src') {
      const other = fields[operand]
      if (other !== undefined && other !== value) return { expected: `register ${other} again`, at }
      fields[operand] = value
    } else if (operand === 'pseudo') {
      if (value !== row.src) return { expected: 'a pseudo source from 1 to 6', at }
    } else if (operand === 'imm_hi16') fields.imm = (fields.imm ?? 0) | (value << 16)
    else if (operand === 'imm_lo16') fields.imm = (fields.imm ?? 0) | value
    else if (operand === 'off' || operand === 'jump' || operand === 'module') fields.off = value
    else fields.imm = value
  }
  if (callee !== undefined) {
    const id = fields.imm ?? 0
    const expected = checkFunction(row, callee.name, id, helperName?.(id))
    if (expected !== undefined) return { expected, at: callee.at }
  }
  return { value: { insn: makeInsn(row.name, fields), use } }
}
