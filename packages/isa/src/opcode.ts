import { defineTable } from '@tsbpf/base'

/**
 * Instruction classes: the three low bits of an opcode (RFC 9669 section 3.3).
 *
 * @example
 * ```ts
 * import { insnClasses } from '@tsbpf/isa'
 * console.log(insnClasses.format(0x61 & 0x07)) // ldx
 * ```
 */
export const insnClasses = /* @__PURE__ */ defineTable('insn_class', [
  { name: 'ld', value: 0x00 },
  { name: 'ldx', value: 0x01 },
  { name: 'st', value: 0x02 },
  { name: 'stx', value: 0x03 },
  { name: 'alu', value: 0x04 },
  { name: 'jmp', value: 0x05 },
  { name: 'jmp32', value: 0x06 },
  { name: 'alu64', value: 0x07 },
])

/**
 * Source operands of arithmetic and jumps: bit 3 of an opcode (RFC 9669 section 4); `k` is `imm`, `x` is `src`.
 *
 * @example
 * ```ts
 * import { sourceOperands } from '@tsbpf/isa'
 * console.log(sourceOperands.value('x')) // 8
 * ```
 */
export const sourceOperands = /* @__PURE__ */ defineTable('source_operand', [
  { name: 'k', value: 0x00 },
  { name: 'x', value: 0x08 },
])

/**
 * Sizes of loads and stores: bits 3 and 4 of an opcode (RFC 9669 section 5); `bytes` is what they access.
 *
 * @example
 * ```ts
 * import { accessSizes } from '@tsbpf/isa'
 * console.log(accessSizes.byName('dw')?.bytes) // 8
 * ```
 */
export const accessSizes = /* @__PURE__ */ defineTable('access_size', [
  { name: 'w', value: 0x00, bytes: 4 },
  { name: 'h', value: 0x08, bytes: 2 },
  { name: 'b', value: 0x10, bytes: 1 },
  { name: 'dw', value: 0x18, bytes: 8 },
])

/**
 * Modes of loads and stores: the three high bits of an opcode (RFC 9669 section 5).
 *
 * @example
 * ```ts
 * import { accessModes } from '@tsbpf/isa'
 * console.log(accessModes.format(0x79 & 0xe0)) // mem
 * ```
 */
export const accessModes = /* @__PURE__ */ defineTable('access_mode', [
  { name: 'imm', value: 0x00 },
  { name: 'abs', value: 0x20 },
  { name: 'ind', value: 0x40 },
  { name: 'mem', value: 0x60 },
  { name: 'memsx', value: 0x80 },
  { name: 'atomic', value: 0xc0 },
])

const classMask = 0x07
const sizeMask = 0x18
const modeMask = 0xe0

/** Name of an instruction class. */
export type InsnClass = (typeof insnClasses.rows)[number]['name']

/**
 * Class of an opcode.
 *
 * @example
 * ```ts
 * import { insnClassOf } from '@tsbpf/isa'
 * console.log(insnClassOf(0x79)) // ldx
 * ```
 */
export function insnClassOf(opcode: number): InsnClass {
  // Three bits, eight rows in order: every value has one. Asked for each relocation, so it is no lookup.
  return insnClasses.rows[opcode & classMask]?.name ?? 'ld'
}

/**
 * Bytes that a load or store of this opcode accesses: 1, 2, 4 or 8; meaningless for other classes.
 *
 * @example
 * ```ts
 * import { accessBytesOf } from '@tsbpf/isa'
 * console.log(accessBytesOf(0x79)) // 8
 * ```
 */
export function accessBytesOf(opcode: number): number {
  return accessSizes.byValue(opcode & sizeMask)?.bytes ?? 0
}

/**
 * The opcode with its access size replaced; `undefined` where no size has that many bytes.
 *
 * @example
 * ```ts
 * import { withAccessBytes } from '@tsbpf/isa'
 * console.log(withAccessBytes(0x79, 4)) // 97: ldxw
 * ```
 */
export function withAccessBytes(opcode: number, bytes: number): number | undefined {
  const size = accessSizes.rows.find((row) => row.bytes === bytes)
  return size === undefined ? undefined : (opcode & ~sizeMask) | size.value
}

/**
 * Name of a load's or store's mode; an unknown one prints as `access_mode(160)`.
 *
 * @example
 * ```ts
 * import { accessModeOf } from '@tsbpf/isa'
 * console.log(accessModeOf(0xdb)) // atomic
 * ```
 */
export function accessModeOf(opcode: number): string {
  return accessModes.format(opcode & modeMask)
}
