import type { InsnIndex } from '@tsbpf/base'
import { errors } from './errors.ts'
import type { InsnByteOrder } from './insn-view.ts'
import { slotBytes, truncated, wideOpcode } from './insn-view.ts'
import type { Insn, Op } from './insn.ts'
import { slotsOf } from './insn.ts'
import type { FieldUse, InsnRow } from './insn-row.ts'
import { instructionSet } from './instruction-set.ts'
import type { OpName } from './instruction-set.ts'

/** A row as masks and values: the fields match where all fixed bits do. `regs` has dst in its low half. */
interface Pattern {
  readonly name: OpName
  readonly wide: boolean
  readonly regsMask: number
  readonly regs: number
  readonly offMask: number
  readonly off: number
  readonly immMask: number
  readonly imm: number
}

function pattern(row: InsnRow<OpName>): Pattern {
  const mask = (use: FieldUse, bits: number): number => (use === 'any' ? 0 : bits)
  const value = (use: FieldUse): number => (use === 'any' ? 0 : use)
  return {
    name: row.name,
    wide: row.wide,
    regsMask: mask(row.dst, 0x0f) | mask(row.src, 0xf0),
    regs: value(row.dst) | (value(row.src) << 4),
    offMask: mask(row.off, -1),
    off: value(row.off),
    immMask: mask(row.imm, -1),
    imm: value(row.imm),
  }
}

/** The field whose value tells the patterns of an opcode apart; most opcodes have one pattern. */
type Key = 'none' | 'src' | 'off' | 'imm'

/** The patterns of one opcode. */
interface Opcode {
  readonly key: Key
  /** By the value of the key, and at 0 where there is none. */
  readonly patterns: readonly (Pattern | undefined)[]
}

const opcodes: readonly (Opcode | undefined)[] = /* @__PURE__ */ patternsByOpcode()

function patternsByOpcode(): readonly (Opcode | undefined)[] {
  return Array.from({ length: 256 }, (_, opcode): Opcode | undefined => {
    const rows = instructionSet.filter((row) => row.opcode === opcode)
    const [first] = rows
    if (first === undefined) return undefined
    if (rows.length === 1) return { key: 'none', patterns: [pattern(first)] }
    // No two rows match the same bytes: one field tells all of an opcode apart, as the tests of all rows show.
    const key =
      (['imm', 'off', 'src'] as const).find(
        (field) => new Set(rows.map((row) => row[field])).size === rows.length,
      ) ?? 'imm'
    const most = Math.max(...rows.map((row) => Number(row[key])))
    const byKey = new Map(rows.map((row) => [row[key], pattern(row)]))
    return { key, patterns: Array.from({ length: most + 1 }, (__, value) => byKey.get(value)) }
  })
}

function match(opcode: number, regs: number, off: number, imm: number): Pattern | undefined {
  const known = opcodes[opcode]
  if (known === undefined) return undefined
  const { key, patterns } = known
  const at = key === 'none' ? 0 : key === 'imm' ? imm : key === 'off' ? off : regs >> 4
  const p = at >= 0 && at < patterns.length ? patterns[at] : undefined
  if (p === undefined) return undefined
  const fits = (regs & p.regsMask) === p.regs && (off & p.offMask) === p.off && (imm & p.immMask) === p.imm
  return fits ? p : undefined
}

/**
 * Name of the instruction that these fields of a slot make; `raw` where they make none. The second slot of a wide
 * instruction is not looked at.
 *
 * @example
 * ```ts
 * import { opOf } from '@tsbpf/isa'
 * console.log(opOf({ opcode: 0x37, dst: 1, src: 0, off: 1, imm: 2 })) // sdiv64_imm
 * ```
 */
export function opOf(fields: Omit<Insn, 'op' | 'nextImm'>): Op {
  return match(fields.opcode, fields.dst | (fields.src << 4), fields.off, fields.imm | 0)?.name ?? 'raw'
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function decodeAt(view: DataView, at: number, littleEndian: boolean): Insn {
  const left = view.byteLength - at
  if (left < slotBytes) throw truncated(at / slotBytes, '8 bytes', left)
  const opcode = view.getUint8(at)
  const stored = view.getUint8(at + 1)
  const regs = littleEndian ? stored : ((stored << 4) | (stored >> 4)) & 0xff
  const off = view.getInt16(at + 2, littleEndian)
  const imm = view.getInt32(at + 4, littleEndian)
  const found = match(opcode, regs, off, imm)
  let op: Op = found?.name ?? 'raw'
  let nextImm: number | undefined
  if (opcode === wideOpcode) {
    if (left < 2 * slotBytes) throw truncated(at / slotBytes, 'a wide instruction of 16 bytes', left)
    // Opcode, registers and offset of the second slot are reserved and zero (RFC 9669 section 3.2).
    if (view.getUint32(at + slotBytes) === 0) nextImm = view.getInt32(at + slotBytes + 4, littleEndian)
    else op = 'raw'
  }
  return { op, opcode, dst: regs & 0x0f, src: regs >> 4, off, imm, nextImm }
}

/**
 * Decodes the instruction that starts at slot `index` of `bytes`.
 *
 * What is no instruction of the set, or has a reserved field that is not zero, is `raw`: of one slot, or of two where it
 * has the opcode of a wide instruction and a second slot with nothing but an immediate.
 * Errors: `ISA_TRUNCATED` where the bytes end inside it.
 *
 * @example
 * ```ts
 * import { decodeInsn } from '@tsbpf/isa'
 * const bytes = new Uint8Array([0xb7, 0x01, 0, 0, 0xff, 0xff, 0xff, 0xff])
 * console.log(decodeInsn(bytes, 0, { littleEndian: true })) // mov64_imm, dst 1, imm -1
 * ```
 */
export function decodeInsn(bytes: Uint8Array, index: number, options: InsnByteOrder): Insn {
  if (!Number.isInteger(index) || index < 0) {
    throw errors.ISA_NO_SUCH_SLOT({
      path: `insns[${index}]`,
      offset: index * slotBytes,
      expected: 'an index from 0',
      actual: String(index),
    })
  }
  return decodeAt(viewOf(bytes), index * slotBytes, options.littleEndian)
}

/** An instruction and the slot where it starts. */
export interface InsnAt {
  readonly index: InsnIndex
  readonly insn: Insn
}

/** Walks over instructions: a generator would cost more than decoding does. */
class InsnWalk implements IterableIterator<InsnAt, undefined, undefined> {
  private at = 0
  private readonly view: DataView
  private readonly littleEndian: boolean

  constructor(view: DataView, littleEndian: boolean) {
    this.view = view
    this.littleEndian = littleEndian
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<InsnAt, undefined> {
    const { at } = this
    if (at >= this.view.byteLength) return { done: true, value: undefined }
    const insn = decodeAt(this.view, at, this.littleEndian)
    this.at = at + (insn.nextImm === undefined ? slotBytes : 2 * slotBytes)
    return { done: false, value: { index: (at / slotBytes) as InsnIndex, insn } }
  }
}

/**
 * Decodes instructions one after the other, each with its slot index; nothing is decoded before it is asked for.
 *
 * Errors: `ISA_TRUNCATED` when the end is reached inside an instruction.
 *
 * @example
 * ```ts
 * import { decodeInsns } from '@tsbpf/isa'
 * const bytes = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])
 * for (const { index, insn } of decodeInsns(bytes, { littleEndian: true })) console.log(index, insn.op)
 * ```
 */
export function decodeInsns(
  bytes: Uint8Array,
  options: InsnByteOrder,
): IterableIterator<InsnAt, undefined, undefined> {
  return new InsnWalk(viewOf(bytes), options.littleEndian)
}

const is16 = (value: number): boolean => (value << 16) >> 16 === value
const is32 = (value: number): boolean => (value | 0) === value || value >>> 0 === value

/** Throws for the first field whose value does not fit it. */
function refuse(insn: Insn): never {
  const ranges = [
    ['opcode', 0, 0xff],
    ['dst', 0, 15],
    ['src', 0, 15],
    ['off', -0x8000, 0x7fff],
    ['imm', -0x8000_0000, 0xffff_ffff],
    ['nextImm', -0x8000_0000, 0xffff_ffff],
  ] as const
  const [field, min, max] =
    ranges.find(([name, from, to]) => {
      const value = insn[name] ?? 0
      return !(Number.isInteger(value) && value >= from && value <= to)
    }) ?? ranges[0]
  throw errors.ISA_FIELD_RANGE({
    op: insn.op,
    field,
    expected: `an integer from ${min} to ${max}`,
    actual: String(insn[field]),
  })
}

function encodeAt(view: DataView, at: number, insn: Insn, littleEndian: boolean): void {
  const { opcode, dst, src, off, imm, nextImm } = insn
  if (
    (opcode & 0xff) !== opcode ||
    (dst & 15) !== dst ||
    (src & 15) !== src ||
    !is16(off) ||
    !is32(imm) ||
    (nextImm !== undefined && !is32(nextImm))
  )
    refuse(insn)
  if (insn.op !== 'raw') checkFields(insn, match(opcode, dst | (src << 4), off, imm | 0))
  view.setUint8(at, opcode)
  view.setUint8(at + 1, littleEndian ? dst | (src << 4) : (dst << 4) | src)
  view.setInt16(at + 2, off, littleEndian)
  view.setInt32(at + 4, imm, littleEndian)
  if (nextImm !== undefined) {
    view.setUint32(at + slotBytes, 0)
    view.setInt32(at + slotBytes + 4, nextImm, littleEndian)
  }
}

function checkFields(insn: Insn, found: Pattern | undefined): void {
  const { op } = insn
  if (found?.name !== op) {
    const actual = `those of ${found === undefined ? 'no instruction' : found.name}`
    throw errors.ISA_FIELD_MISMATCH({ op, field: 'the fields', expected: `those of ${op}`, actual })
  }
  if (found.wide !== (insn.nextImm !== undefined)) {
    const expected = found.wide ? 'a number' : 'undefined'
    throw errors.ISA_FIELD_MISMATCH({ op, field: 'nextImm', expected, actual: String(insn.nextImm) })
  }
}

/**
 * Encodes one instruction: 8 bytes, 16 for a wide one; the exact inverse of {@link decodeInsn}.
 *
 * Errors: `ISA_FIELD_RANGE` for a number that does not fit, `ISA_FIELD_MISMATCH` for fields that are not those of `op`.
 *
 * @example
 * ```ts
 * import { encodeInsn, makeInsn } from '@tsbpf/isa'
 * console.log(encodeInsn(makeInsn('exit'), { littleEndian: true })) // 95 00 00 00 00 00 00 00
 * ```
 */
export function encodeInsn(insn: Insn, options: InsnByteOrder): Uint8Array {
  return encodeInsns([insn], options)
}

/**
 * Encodes instructions one after the other into new bytes; errors as of {@link encodeInsn}.
 *
 * @example
 * ```ts
 * import { encodeInsns, makeInsn } from '@tsbpf/isa'
 * const bytes = encodeInsns([makeInsn('mov64_imm', { imm: 1 }), makeInsn('exit')], { littleEndian: true })
 * console.log(bytes.length) // 16
 * ```
 */
export function encodeInsns(insns: readonly Insn[], options: InsnByteOrder): Uint8Array {
  let slots = 0
  for (const insn of insns) slots += slotsOf(insn)
  const bytes = new Uint8Array(slots * slotBytes)
  const view = viewOf(bytes)
  let at = 0
  for (const insn of insns) {
    encodeAt(view, at, insn, options.littleEndian)
    at += slotsOf(insn) * slotBytes
  }
  return bytes
}
