import { isWord, numberOf } from './text-lexer.ts'
import type { Token } from './text-lexer.ts'
import type { Operand } from './text-template.ts'

/** How a dialect writes what its templates do not say. */
export interface TextSyntax {
  /** What starts a comment that runs to the end of the line. */
  readonly comments: readonly string[]
  /** True where `;` ends an instruction, so that a line may hold several. */
  readonly semicolons: boolean
  readonly lastRegister: number
  /** What may stand before the distance of a jump. */
  readonly pc: boolean
  /** True where a distance may stand without `+`, and an offset may be `+-8`. */
  readonly bareSigns: boolean
  /** True where an offset of 0 is left out. */
  readonly optionalOffset: boolean
  /** True where `(b7)` may stand before an instruction, and `12:` before that. */
  readonly opcodes: boolean
  /** True where `<label>` may follow an instruction and says nothing. */
  readonly annotations: boolean
  /** A label that stands for the first `exit` where it is not defined. */
  readonly exitLabel: boolean
  /** True where `.insn` writes the fields of a slot. */
  readonly rawInsns: boolean
}

/** What was read for an operand: a number, a bigint of 64 bits, or the name of a label or function. */
export type OperandValue = number | bigint | string

/** An operand that was read, and the token after it; or what was expected at a token. */
type ReadOperand =
  | { readonly value: OperandValue; readonly next: number }
  | {
      readonly expected: string
      readonly at: number
      /** True where the kind of operand is right, and its value is not. */
      readonly close?: boolean
    }

/** Reads an operand from the token at `at` on. */
export type OperandReader = (tokens: readonly Token[], at: number, syntax: TextSyntax) => ReadOperand

const textAt = (tokens: readonly Token[], at: number): string | undefined => tokens[at]?.text

function signedNumber(
  tokens: readonly Token[],
  at: number,
  sign: 'optional' | 'required',
): { readonly value: bigint; readonly next: number; readonly at: number } | undefined {
  const first = textAt(tokens, at)
  const signs = first === '-' || first === '+'
  if (!signs && sign === 'required') return undefined
  const number = numberOf(tokens[signs ? at + 1 : at])
  if (number === undefined) return undefined
  return { value: first === '-' ? -number : number, next: at + (signs ? 2 : 1), at: signs ? at + 1 : at }
}

function integer(min: bigint, max: bigint, what: string, as64 = false): OperandReader {
  const expected = `${what} from ${min} to ${max}`
  return (tokens, at) => {
    const number = signedNumber(tokens, at, 'optional')
    if (number === undefined) return { expected: what, at }
    const { value, next } = number
    if (value < min || value > max) return { expected, at: number.at, close: true }
    return { value: as64 ? value : Number(value), next }
  }
}

const offset: OperandReader = (tokens, at, syntax) => {
  const twice = syntax.bareSigns && textAt(tokens, at) === '+' && textAt(tokens, at + 1) === '-'
  const number = signedNumber(tokens, twice ? at + 1 : at, 'required')
  if (number === undefined) {
    if (syntax.optionalOffset && textAt(tokens, at) === ']') return { value: 0, next: at }
    return { expected: 'an offset such as +8', at }
  }
  const { value, next } = number
  if (value < -0x8000n || value > 0x7fffn)
    return { expected: 'an offset from -32768 to 32767', at: number.at, close: true }
  return { value: Number(value), next }
}

const label: OperandReader = (tokens, at) => {
  const token = tokens[at]
  return isWord(token) ? { value: token.text, next: at + 1 } : { expected: 'a label', at }
}

function distance(bits: bigint): OperandReader {
  const max = (1n << (bits - 1n)) - 1n
  return (tokens, at, syntax) => {
    const pc = syntax.pc && textAt(tokens, at) === 'pc' ? at + 1 : at
    const number = signedNumber(tokens, pc, syntax.bareSigns ? 'optional' : 'required')
    if (number === undefined) {
      if (pc === at && isWord(tokens[at])) return label(tokens, at, syntax)
      return { expected: `a label or a distance such as ${syntax.pc ? 'pc' : ''}+5`, at: pc }
    }
    if (number.value < -max - 1n || number.value > max) {
      return { expected: `a distance from ${-max - 1n} to ${max}`, at: number.at, close: true }
    }
    return { value: Number(number.value), next: number.next }
  }
}

/** A name of any signs up to `#`. */
const functionName: OperandReader = (tokens, at) => {
  let next = at
  let name = ''
  for (; next < tokens.length && textAt(tokens, next) !== '#'; next++) name += textAt(tokens, next) ?? ''
  return name === '' || next === tokens.length
    ? { expected: 'a function such as bpf_name#1', at }
    : { value: name, next }
}

const moduleIndex: OperandReader = (tokens, at, syntax) => {
  if (textAt(tokens, at) !== ',') return { value: 0, next: at }
  return integer(-0x8000n, 0x7fffn, 'an index of a module')(tokens, at + 1, syntax)
}

const imm32 = integer(-0x8000_0000n, 0xffff_ffffn, 'an integer')
const imm64 = integer(-(1n << 63n), (1n << 64n) - 1n, 'an integer', true)
const half = integer(0n, 0xffffn, 'an integer')

/** Readers of all operands but registers. */
export const operandReaders: Readonly<Record<Exclude<Operand, 'dst' | 'src' | 'r32'>, OperandReader>> = {
  imm: imm32,
  callee: imm32,
  uimm: imm32,
  imm64,
  uimm64: imm64,
  imm_hi16: half,
  imm_lo16: half,
  off: offset,
  jump: distance(16n),
  jump32: distance(32n),
  label32: label,
  helper: functionName,
  kfunc: functionName,
  module: moduleIndex,
  pseudo: integer(0n, 15n, 'an integer'),
}

/** Which registers an operand may name: whole ones, their lower halves, either, or whole ones of which one is `fp`. */
export type RegisterKind = 'r' | 'w' | 'either' | 'named'

/** Register that GNU calls `fp` (RFC 9669 section 3). */
export const framePointer = 10

/** Reads a register: `r1`, or `w1` for its lower half. */
export function registerReader(kind: RegisterKind): OperandReader {
  const prefixes = { r: 'r', w: 'w', either: 'rw', named: 'r' }[kind]
  const pattern = new RegExp(`^[${prefixes}](0|[1-9]\\d?)$`)
  return (tokens, at, { lastRegister }) => {
    const prefix = kind === 'w' ? 'w' : 'r'
    const expected = `a register from ${prefix}0 to ${prefix}${lastRegister}`
    const text = textAt(tokens, at) ?? ''
    const register =
      kind === 'named' && text === 'fp' ? framePointer : Number(pattern.exec(text)?.[1] ?? Infinity)
    return register <= lastRegister ? { value: register, next: at + 1 } : { expected, at }
  }
}
