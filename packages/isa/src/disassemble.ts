import type { InsnIndex } from '@tsbpf/base'
import { decodeInsns } from './codec.ts'
import type { Dialect } from './format.ts'
import { formatterOf } from './format.ts'
import type { Insn } from './insn.ts'
import { slotsOf } from './insn.ts'
import type { InsnByteOrder } from './insn-view.ts'
import { slotBytes } from './insn-view.ts'
import { rowOf } from './instruction-set.ts'
import { llvmCanName, llvmRowOfRaw } from './llvm-text.ts'
import type { InsnRow } from './insn-row.ts'
import type { FormatOptions } from './text-template.ts'

/** Options of {@link disassemble}. */
export interface DisassembleOptions extends InsnByteOrder, FormatOptions {
  /** `llvm` unless given. */
  readonly dialect?: Dialect
  /** Where the bytes start in their section, in bytes; 0 unless given. Branch targets count from the section's start. */
  readonly sectionOffset?: number
  /**
   * Text for a branch target, in bytes from the section's start (it may lie outside): `LBB0_3`, `main+0x28`.
   * Only `llvm` writes it, in angle brackets after the instruction, as llvm-objdump does; see {@link labelsOf}.
   */
  readonly labelOf?: (target: number) => string | undefined
}

const callOpcode = rowOf('call').opcode

/** One line of a disassembly. */
export interface DisassembledInsn {
  /** Slot within the given bytes. */
  readonly index: InsnIndex
  /** A view of the given bytes: 8, or 16 of a wide instruction. */
  readonly bytes: Uint8Array
  readonly insn: Insn
  readonly text: string
  /** Slot that a jump or a call of a subprogram reaches, relative to the given bytes; it may lie outside. */
  readonly target: number | undefined
}

/**
 * Slot that a jump, or a call of a subprogram, at `index` reaches; `undefined` for all other instructions.
 *
 * @example
 * ```ts
 * import { makeInsn, targetOf } from '@tsbpf/isa'
 * console.log(targetOf(makeInsn('ja', { off: -2 }), 5)) // 4
 * ```
 */
export function targetOf(insn: Insn, index: number): number | undefined {
  return insn.op === 'raw' ? undefined : reach(insn, index, rowOf(insn.op))
}

function reach(insn: Insn, index: number, row: InsnRow | undefined): number | undefined {
  return row?.target === undefined ? undefined : index + slotsOf(insn) + insn[row.target]
}

/** The branch target after an instruction: not after a call, which llvm-objdump leaves to relocations. */
function llvmLabel(insn: Insn, index: number, options: DisassembleOptions): string {
  const row = insn.op === 'raw' ? llvmRowOfRaw(insn) : rowOf(insn.op)
  if (row === undefined || row.opcode === callOpcode || !llvmCanName(insn, row)) return ''
  const target = reach(insn, index, row)
  if (target === undefined) return ''
  const label = options.labelOf?.((options.sectionOffset ?? 0) + target * slotBytes)
  return label === undefined ? '' : ` <${label}>`
}

/**
 * Decodes and prints instructions one after the other; linear in their number, and nothing is decoded before it is
 * asked for.
 *
 * Errors: `ISA_TRUNCATED` when the end is reached inside an instruction.
 *
 * @example
 * ```ts
 * import { disassemble } from '@tsbpf/isa'
 * const bytes = new Uint8Array([0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])
 * for (const { index, text } of disassemble(bytes, { littleEndian: true })) console.log(index, text)
 * ```
 */
export function* disassemble(
  bytes: Uint8Array,
  options: DisassembleOptions,
): Generator<DisassembledInsn, void, undefined> {
  const { dialect = 'llvm' } = options
  const format = formatterOf(dialect)
  const labelled = dialect === 'llvm' && options.labelOf !== undefined
  for (const { index, insn } of decodeInsns(bytes, options)) {
    const target = targetOf(insn, index)
    let text = format(insn, options, index)
    if (labelled && (target !== undefined || insn.op === 'raw')) text += llvmLabel(insn, index, options)
    const at = index * slotBytes
    yield { index, bytes: bytes.subarray(at, at + slotsOf(insn) * slotBytes), insn, text, target }
  }
}

/** A name for a place in a section. */
export interface Label {
  readonly name: string
  /** Bytes from the section's start. */
  readonly offset: number
}

const targetBits = 64

/**
 * Makes the `labelOf` of {@link disassemble} that names branch targets as llvm-objdump does: the nearest symbol at or
 * before the target, and the distance from it in hexadecimal.
 *
 * `labels` are all named symbols of the section that are not sections themselves, in any order. Of several at one place the
 * last by name wins. Where nothing is at offset 0, the section's own name stands there.
 *
 * @example
 * ```ts
 * import { labelsOf } from '@tsbpf/isa'
 * const labelOf = labelsOf('.text', [{ name: 'main', offset: 0 }])
 * console.log(labelOf(0x28)) // main+0x28
 * ```
 */
export function labelsOf(section: string, labels: Iterable<Label>): (target: number) => string | undefined {
  const sorted = [...labels].sort(
    (a, b) => a.offset - b.offset || (a.name < b.name ? -1 : Number(a.name > b.name)),
  )
  if (sorted[0]?.offset !== 0) sorted.unshift({ name: section, offset: 0 })
  return (target) => {
    let low = target < 0 ? sorted.length : 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle]?.offset ?? 0) <= target) low = middle + 1
      else high = middle
    }
    const label = sorted[low - 1]
    if (label === undefined) return undefined
    const distance = target - label.offset
    if (distance === 0) return label.name
    // llvm-objdump counts addresses without a sign: what lies before the section lies after every symbol.
    const unsigned = distance < 0 ? BigInt.asUintN(targetBits, BigInt(distance)) : distance
    return `${label.name}+0x${unsigned.toString(16)}`
  }
}
