import { errors } from './errors.ts'

/** Bytes of one slot (RFC 9669 section 3). */
export const slotBytes = 8
/** Opcode of every wide instruction: the only one that fills two slots (RFC 9669 section 5.4). */
export const wideOpcode = 0x18

/** Options of everything that reads or writes instructions. */
export interface InsnByteOrder {
  /** Byte order of the object: it also decides which half of the registers' byte holds `dst`. */
  readonly littleEndian: boolean
}

/**
 * The fields of each slot of a function, read and written in place: what relocation needs, with nothing decoded.
 *
 * Aliases `bytes`; indexes count 8-byte slots from its start. Registers are 0 to 15, `off` is signed 16 bits, `imm`
 * signed 32 bits (a setter also takes the unsigned form), an immediate of a wide instruction is unsigned 64 bits.
 * Errors: `ISA_TRUNCATED` for bytes that end inside a slot, `ISA_NO_SUCH_SLOT`, `ISA_NOT_WIDE`, `ISA_FIELD_RANGE`.
 * Layout: RFC 9669 section 3.
 *
 * @example
 * ```ts
 * import { InsnView } from '@tsbpf/isa'
 * const view = new InsnView(new Uint8Array([0xb7, 0, 0, 0, 1, 0, 0, 0]), { littleEndian: true })
 * view.setImm(0, 7)
 * console.log(view.opcode(0), view.imm(0)) // 183 7
 * ```
 */
export class InsnView {
  readonly bytes: Uint8Array
  readonly littleEndian: boolean
  /** Slots in the bytes; a wide instruction counts two. */
  readonly count: number
  private readonly view: DataView

  constructor(bytes: Uint8Array, options: InsnByteOrder) {
    this.bytes = bytes
    this.littleEndian = options.littleEndian
    this.count = Math.floor(bytes.length / slotBytes)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const rest = bytes.length % slotBytes
    if (rest !== 0) throw truncated(this.count, '8 bytes', rest)
  }

  opcode(index: number): number {
    return this.view.getUint8(this.at(index))
  }

  setOpcode(index: number, value: number): void {
    this.view.setUint8(this.at(index), inRange(value, 0, 0xff, 'opcode'))
  }

  dst(index: number): number {
    const registers = this.view.getUint8(this.at(index) + 1)
    return this.littleEndian ? registers & 0x0f : registers >> 4
  }

  setDst(index: number, value: number): void {
    this.setRegisters(index, value, this.src(index))
  }

  src(index: number): number {
    const registers = this.view.getUint8(this.at(index) + 1)
    return this.littleEndian ? registers >> 4 : registers & 0x0f
  }

  setSrc(index: number, value: number): void {
    this.setRegisters(index, this.dst(index), value)
  }

  off(index: number): number {
    return this.view.getInt16(this.at(index) + 2, this.littleEndian)
  }

  setOff(index: number, value: number): void {
    this.view.setInt16(this.at(index) + 2, inRange(value, -0x8000, 0x7fff, 'off'), this.littleEndian)
  }

  imm(index: number): number {
    return this.view.getInt32(this.at(index) + 4, this.littleEndian)
  }

  setImm(index: number, value: number): void {
    const imm = inRange(value, -0x8000_0000, 0xffff_ffff, 'imm')
    this.view.setInt32(this.at(index) + 4, imm, this.littleEndian)
  }

  /** True for the first slot of a wide instruction that has its second one. */
  isWide(index: number): boolean {
    return this.opcode(index) === wideOpcode && index + 1 < this.count
  }

  /** The immediate of the wide instruction at `index`: `imm` of its two slots, unsigned. */
  imm64(index: number): bigint {
    this.wide(index)
    return joinImm64(this.imm(index), this.imm(index + 1))
  }

  /** Writes a wide instruction's immediate; takes the signed and the unsigned form. */
  setImm64(index: number, value: bigint): void {
    this.wide(index)
    const [low, high] = splitImm64(value)
    this.setImm(index, low)
    this.setImm(index + 1, high)
  }

  private at(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.count)) {
      throw errors.ISA_NO_SUCH_SLOT({
        path: `insns[${index}]`,
        offset: index * slotBytes,
        expected: `an index below ${this.count}`,
        actual: String(index),
      })
    }
    return index * slotBytes
  }

  private setRegisters(index: number, dst: number, src: number): void {
    const [low, high] = this.littleEndian ? [dst, src] : [src, dst]
    inRange(dst, 0, 15, 'dst')
    inRange(src, 0, 15, 'src')
    this.view.setUint8(this.at(index) + 1, low | (high << 4))
  }

  private wide(index: number): void {
    if (this.isWide(index)) return
    throw errors.ISA_NOT_WIDE({
      path: `insns[${index}]`,
      offset: index * slotBytes,
      expected: `opcode 0x${wideOpcode.toString(16)} and a second slot`,
      actual: `opcode 0x${this.opcode(index).toString(16)}, slot ${index + 1} of ${this.count}`,
    })
  }
}

/** The 64 bits of a wide instruction's two immediates, unsigned. */
export function joinImm64(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/** The two signed halves of 64 bits, low one first; takes the signed and the unsigned form. */
export function splitImm64(value: bigint): readonly [low: number, high: number] {
  if (value < -(1n << 63n) || value >= 1n << 64n) {
    throw errors.ISA_FIELD_RANGE({
      op: 'the instruction',
      field: 'imm64',
      expected: 'at most 64 bits',
      actual: String(value),
    })
  }
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))]
}

/** The error for bytes that end inside the instruction at `index`. */
export function truncated(index: number, expected: string, left: number): Error {
  return errors.ISA_TRUNCATED({
    path: `insns[${index}]`,
    offset: index * slotBytes,
    expected,
    actual: `${left} bytes`,
  })
}

function inRange(value: number, min: number, max: number, field: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw errors.ISA_FIELD_RANGE({
    op: 'the instruction',
    field,
    expected: `an integer from ${min} to ${max}`,
    actual: String(value),
  })
}

/**
 * Copies instructions into the other byte order: fields are swapped and the registers change halves.
 *
 * `bytes` must hold whole slots (`ISA_TRUNCATED` otherwise); swapping twice gives the same bytes.
 *
 * @example
 * ```ts
 * import { swapInsns } from '@tsbpf/isa'
 * console.log(swapInsns(new Uint8Array([0x61, 0x21, 4, 0, 0, 0, 0, 0]))) // 61 12 00 04 00 00 00 00
 * ```
 */
export function swapInsns(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % slotBytes
  if (rest !== 0) throw truncated(Math.floor(bytes.length / slotBytes), '8 bytes', rest)
  const swapped = new Uint8Array(bytes.length)
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const to = new DataView(swapped.buffer)
  for (let at = 0; at < bytes.length; at += slotBytes) {
    const registers = from.getUint8(at + 1)
    to.setUint8(at, from.getUint8(at))
    to.setUint8(at + 1, ((registers << 4) | (registers >> 4)) & 0xff)
    to.setUint16(at + 2, from.getUint16(at + 2, true), false)
    to.setUint32(at + 4, from.getUint32(at + 4, true), false)
  }
  return swapped
}
