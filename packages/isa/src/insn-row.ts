import { accessModes, accessSizes, insnClasses, sourceOperands } from './opcode.ts'

/** Groups of instructions that a runtime may support or not (RFC 9669 section 2.4). */
export type ConformanceGroup =
  'base32' | 'base64' | 'atomic32' | 'atomic64' | 'divmul32' | 'divmul64' | 'packet'

/** What a row says of a field: an operand, or the one value that it must have (0 where it is reserved). */
export type FieldUse = 'any' | number

/**
 * Text of an instruction in each dialect, as a template: operands stand in braces; the dialect prints and reads them.
 * Two rows may share a text where the dialect itself cannot tell them apart.
 */
export interface InsnText {
  readonly llvm: string
  readonly verifier: string
  readonly gnu: string
  readonly conformance: string
  /** Other spellings that a dialect reads and never prints. */
  readonly also?: {
    readonly llvm?: string
    readonly verifier?: string
    readonly gnu?: string
    readonly conformance?: string
  }
}

/** One instruction: how it is recognised, what its fields mean, how it reads. */
export interface InsnRow<Name extends string = string> {
  readonly name: Name
  readonly opcode: number
  readonly dst: FieldUse
  readonly src: FieldUse
  readonly off: FieldUse
  readonly imm: FieldUse
  /** True where a second slot follows, with the upper 32 bits of the immediate. */
  readonly wide: boolean
  /** The field that counts slots to jump or call over, from the next instruction. */
  readonly target: 'off' | 'imm' | undefined
  /** `undefined` for what the kernel has and RFC 9669 has not. */
  readonly group: ConformanceGroup | undefined
  /** Section of RFC 9669, or path in the kernel. */
  readonly source: string
  readonly text: InsnText
}

interface RowFacts {
  readonly dst?: FieldUse
  readonly src?: FieldUse
  readonly off?: FieldUse
  readonly imm?: FieldUse
  readonly wide?: boolean
  readonly target?: 'off' | 'imm'
  readonly group: ConformanceGroup | undefined
  readonly source: string
  readonly text: InsnText
}

/** A row; fields that are not named are reserved and zero. */
export function row<const Name extends string>(name: Name, opcode: number, facts: RowFacts): InsnRow<Name> {
  const { dst = 0, src = 0, off = 0, imm = 0, wide = false, target, group, source, text } = facts
  return { name, opcode, dst, src, off, imm, wide, target, group, source, text }
}

/** Class bits by name. */
export const cls = (name: Parameters<typeof insnClasses.value>[0]): number => insnClasses.value(name)
/** Size bits by name. */
export const size = (name: Parameters<typeof accessSizes.value>[0]): number => accessSizes.value(name)
/** Mode bits by name. */
export const mode = (name: Parameters<typeof accessModes.value>[0]): number => accessModes.value(name)
/** Source bit by name. */
export const source = (name: Parameters<typeof sourceOperands.value>[0]): number => sourceOperands.value(name)
