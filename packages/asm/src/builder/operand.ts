import { builderErrors } from '../errors.ts'
import type { LabelReference } from './insn-builder.ts'
import type { Operation, Role } from './operation.ts'
import type { Memory, Register32, Register64 } from './register.ts'

/** Fields of an instruction, as its operands fill them. */
export interface Operands {
  dst?: number
  src?: number
  off?: number
  imm?: number
  imm64?: bigint
  label?: LabelReference
}

/** How an operand is refused. */
interface Refusals {
  readonly refuse: (expected: string) => Error
  readonly place: () => string
}

/** A number or bigint that is a whole number, exactly. */
export function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

/** An operand as it stands in the source, or nearly. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value !== 'object' || value === null) return String(value)
  const one = value as Partial<Register64 | Memory> & {
    readonly name?: unknown
    readonly global?: { readonly name: string }
  }
  if (one.kind === 'register') return `${one.bits === 64 ? 'r' : 'w'}${one.number ?? ''}`
  if (one.kind === 'memory') return `${show(one.base)}.at(${one.offset ?? 0})`
  if (one.global !== undefined) return `${one.global.name}.at(${(value as Memory).offset})`
  return typeof one.name === 'string' ? one.name : 'an object'
}

/** Reads the operand of a role into the fields of its instruction. */
export function readOperand(
  operation: Operation,
  role: Role,
  value: unknown,
  into: Operands,
  { refuse, place }: Refusals,
): void {
  const { row, bits, writes } = operation
  const one = value as Partial<Register64 | Register32 | Memory> | null | undefined
  const field = (operand: string, least: number, most: number, given: unknown): number => {
    if (!isInteger(given)) throw refuse('an integer')
    const fits = given >= least && given <= most && (!operation.divides || Number(given) !== 0)
    if (fits) return Number(given)
    const expected = `an integer from ${least} to ${most}${operation.divides ? ', and not 0' : ''}`
    throw builderErrors.ASM_IMMEDIATE({
      place: place(),
      insn: row.name,
      operand,
      expected,
      actual: String(given),
    })
  }
  switch (role) {
    case 'dst':
    case 'src':
      if (one?.kind !== 'register' || one.bits !== bits || one.number === undefined) {
        throw refuse(bits === 64 ? 'a register from r0 to r10' : 'a register from w0 to w10')
      }
      if (writes === role && one.writable !== true)
        throw builderErrors.ASM_WRITE_R10({ place: place(), insn: row.name })
      into[role] = one.number
      return
    case 'load':
    case 'store':
      if (one?.kind !== 'memory' || one.base === undefined) throw refuse('memory such as r1.at(8)')
      into[role === 'load' ? 'src' : 'dst'] = one.base.number
      into.off = field('offset', -0x8000, 0x7fff, one.offset)
      return
    case 'imm':
    case 'nextImm': {
      // The upper half of a wide instruction is 0 unless given.
      const imm = field(role, operation.least, operation.most, role === 'nextImm' ? (value ?? 0) : value)
      if (!row.wide) into.imm = imm
      else if (role === 'imm') into.imm64 = BigInt.asUintN(32, BigInt(imm))
      else into.imm64 = (into.imm64 ?? 0n) | (BigInt.asUintN(32, BigInt(imm)) << 32n)
      return
    }
    case 'module':
      into.off = field('module', 0, 0x7fff, value ?? 0)
      return
    case 'label':
      if (typeof value !== 'string' && (value as { readonly kind?: unknown } | undefined)?.kind !== 'label') {
        throw refuse('a label')
      }
      into.label = value as LabelReference
  }
}
