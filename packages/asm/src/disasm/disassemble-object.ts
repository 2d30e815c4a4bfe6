import type { InsnIndex } from '@tsbpf/base'
import { isTsbpfError } from '@tsbpf/base'
import { disassemble, parseInsns, slotsOf } from '@tsbpf/isa'
import type { Dialect, Insn } from '@tsbpf/isa'
import type { FunctionSpec, InsnReference, LineInfo, ObjectSpec } from '@tsbpf/object'
import { helpers } from '@tsbpf/uapi/helpers'
import { coreText } from './core-text.ts'
import { functionsOf, nameText, placeText, referencePlaces } from './reference-text.ts'
import type { NamedPlace } from './reference-text.ts'
import { bytesLine } from './section-text.ts'

/** Options of {@link disassembleObject}. */
export interface DisassembleObjectOptions {
  /** `llvm` unless given. */
  readonly dialect?: Dialect
  /**
   * Text for a branch target in bytes from its section's start, behind instructions of `llvm` as llvm-objdump has it;
   * see {@link labelsOf}.
   */
  readonly labelOf?: (fn: FunctionSpec) => ((target: number) => string | undefined) | undefined
}

/** One instruction of a function, with all that its object says about it. */
export interface DisassembledLine {
  /** Slot within the function. */
  readonly index: InsnIndex
  /** A view of the function's bytes: 8, or 16 of a wide instruction. */
  readonly bytes: Uint8Array
  readonly insn: Insn
  /** The instruction in the dialect, as the bytes say it. */
  readonly text: string
  /** The same for the assembler, with names: `r1 = counts ll`, `goto LBB0_4`, `call bpf_map_lookup_elem`. */
  readonly assembly: string
  /** Name of the place of this instruction, where another one jumps to it. */
  readonly label: string | undefined
  /** What the operand stands for: a map, a function, an extern, or a place in a data section. */
  readonly symbol: string | undefined
  /** Name of the helper that it calls. */
  readonly helper: string | undefined
  /** What a CO-RE relocation of it asks: `byte_off struct task_struct.real_parent`. */
  readonly core: readonly string[]
  /** Where it comes from. */
  readonly source: LineInfo | undefined
}

/** A function of an object. */
export interface DisassembledFunction {
  readonly function: FunctionSpec
  readonly lines: readonly DisassembledLine[]
}

/** A distance at the end of a jump or a call, as the dialects print it. */
const distance = /(?:pc)?[+-](?:0x)?[\da-f]+$/

/** Slots that jumps of a function reach, of those where an instruction starts. */
function labelsIn(
  fn: FunctionSpec,
  number: number,
  rows: readonly { readonly index: number; readonly target: number | undefined }[],
) {
  const starts = new Set(rows.map(({ index }) => index))
  const relocated = new Set<number>(fn.relocations.map(({ insn }) => insn))
  const labels = new Map<number, string>()
  for (const { index, target } of rows) {
    if (target !== undefined && starts.has(target) && !relocated.has(index))
      labels.set(target, `LBB${number}_${target}`)
  }
  return labels
}

/** Name of the helper that an instruction calls, as C calls it. */
function helperOf(insn: Insn): string | undefined {
  if (insn.op !== 'call' || insn.imm <= 0) return undefined
  const name = helpers.byValue(insn.imm)?.name
  return name === undefined ? undefined : `bpf_${name}`
}

/** A wide load by name, with what each dialect writes around it. */
const wideTexts: Readonly<Record<Dialect, (dst: number, operand: string) => string>> = {
  llvm: (dst, operand) => `r${dst} = ${operand} ll`,
  verifier: (dst, operand) => `(18) r${dst} = ${operand} ll`,
  gnu: (dst, operand) => `lddw %r${dst},${operand}`,
  conformance: (dst, operand) => `lddw %r${dst}, ${operand}`,
}

/** Instructions of which not every dialect writes down all. */
const lossy = /^(raw$|call_|lddw_|ld_ind_)/

function readsBack(insn: Insn, text: string, dialect: Dialect): boolean {
  try {
    const [again] = parseInsns(text, { dialect }).insns
    return again !== undefined && fields.every((field) => again[field] === insn[field])
  } catch (error) {
    if (!isTsbpfError(error, 'ISA_TEXT')) throw error
    return false
  }
}

const fields = ['opcode', 'dst', 'src', 'off', 'imm', 'nextImm'] as const

function assemblyText(
  dialect: Dialect,
  { insn, text, bytes }: Pick<DisassembledLine, 'insn' | 'text' | 'bytes'>,
  names: {
    readonly operand: string | undefined
    readonly label: string | undefined
    readonly helper: string | undefined
  },
): string {
  const { operand, label, helper } = names
  const called =
    operand ?? (insn.op === 'call_subprogram' ? label : dialect === 'verifier' ? undefined : helper)
  if (operand !== undefined && slotsOf(insn) === 2) return wideTexts[dialect](insn.dst, operand)
  if (called !== undefined && insn.op.startsWith('call'))
    return dialect === 'verifier' ? `(85) call ${called}` : `call ${called}`
  if (label !== undefined) return text.replace(distance, label)
  return lossy.test(insn.op) && !readsBack(insn, text, dialect) ? bytesLine(bytes) : text
}

/** Names of operands: for people, and where given for the assembler. */
interface OperandNames {
  shown(ref: InsnReference): NamedPlace
  operand: ((fn: FunctionSpec, index: InsnIndex) => NamedPlace | undefined) | undefined
}

function linesOf(
  fn: FunctionSpec,
  number: number,
  spec: ObjectSpec,
  names: OperandNames,
  options: DisassembleObjectOptions,
): readonly DisassembledLine[] {
  const { dialect = 'llvm' } = options
  const labelOf = options.labelOf?.(fn)
  const shape = { littleEndian: spec.byteOrder === 'little', dialect }
  const rows = [...disassemble(fn.insns, shape)]
  const shown =
    labelOf === undefined
      ? rows
      : [...disassemble(fn.insns, { ...shape, sectionOffset: fn.sectionOffset, labelOf })]
  const labels = labelsIn(fn, number, rows)
  const refs = new Map(fn.relocations.map(({ insn, ref }) => [insn, ref]))
  const core = new Map<InsnIndex, string[]>()
  for (const relocation of fn.coreRelocations) {
    const text = coreText(relocation, spec.btf)
    const known = core.get(relocation.insn)
    if (known === undefined) core.set(relocation.insn, [text])
    else known.push(text)
  }
  let next = 0
  let source: LineInfo | undefined
  return rows.map(({ index, bytes, insn, text, target }, row) => {
    for (; (fn.lineInfo[next]?.insn ?? Infinity) <= index; next++) source = fn.lineInfo[next]
    const ref = refs.get(index)
    const helper = ref === undefined ? helperOf(insn) : undefined
    const shownPlace = ref === undefined ? undefined : names.shown(ref)
    const operandPlace = ref === undefined ? undefined : (names.operand?.(fn, index) ?? shownPlace)
    const operand =
      operandPlace === undefined ? undefined : placeText(nameText(operandPlace.name), operandPlace.distance)
    const label = target === undefined || ref !== undefined ? undefined : labels.get(target)
    return {
      index,
      bytes,
      insn,
      text: shown[row]?.text ?? text,
      assembly: assemblyText(dialect, { insn, text, bytes }, { operand, label, helper }),
      label: labels.get(index),
      symbol: shownPlace === undefined ? undefined : placeText(shownPlace.name, shownPlace.distance),
      helper,
      core: core.get(index) ?? [],
      source,
    }
  })
}

/**
 * Disassembles the functions of an object, programs first, with names for what instructions refer to: labels, maps,
 * variables, functions, helpers, kfuncs, CO-RE relocations and lines of C. {@link formatAssembly} makes a text of it.
 *
 * Functions are disassembled when they are asked for. Indexes count 8-byte slots of the function. Names and lines come
 * from the object and may hold any characters. Errors: `ISA_TRUNCATED` for code that ends inside an instruction.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { disassembleObject } from '@tsbpf/asm'
 * import { parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('syscount.bpf.o'))
 * for (const { function: fn, lines } of disassembleObject(spec)) {
 *   for (const { index, assembly, core } of lines) console.log(fn.name, index, assembly, ...core)
 * }
 * ```
 */
export function disassembleObject(
  spec: ObjectSpec,
  options: DisassembleObjectOptions = {},
): Generator<DisassembledFunction, void, undefined> {
  return disassembleFunctions(spec, options)
}

/** The same, with operands named as the symbols of a file are. */
export function* disassembleFunctions(
  spec: ObjectSpec,
  options: DisassembleObjectOptions,
  operand?: OperandNames['operand'],
): Generator<DisassembledFunction, void, undefined> {
  const names: OperandNames = { shown: referencePlaces(spec), operand }
  let number = 0
  for (const fn of functionsOf(spec)) {
    yield { function: fn, lines: linesOf(fn, number++, spec, names, options) }
  }
}
