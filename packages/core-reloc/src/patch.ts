import {
  accessBytesOf,
  insnClassOf,
  InsnView,
  opOf,
  rowOf,
  sourceOperands,
  withAccessBytes,
} from '@tsbpf/isa'
import { fail } from './errors.ts'

/**
 * Immediate of the call that replaces an instruction whose relocation has no answer: 0xbad2310, as libbpf writes it.
 * No helper has this number, so the verifier refuses the program if the call can be reached, and only then.
 */
export const poisonImm = 0xbad2310

const wideOpcode = /* @__PURE__ */ rowOf('lddw').opcode

/** What is to become of an instruction. */
export interface Decision {
  /** Value that the compiler wrote, by the local type; unsigned, 64 bits. */
  readonly oldValue: bigint
  /** Value to write; `undefined` poisons the instruction. */
  readonly newValue: bigint | undefined
  /** Whether the instruction must hold `oldValue`. */
  readonly validate: boolean
  /** Size in bytes of the field here and there, where a load or store may have to change with it; else 0. */
  readonly oldSize: number
  readonly newSize: number
  /** False where a load or store of another size would give another value. */
  readonly sizesFit: boolean
}

/** What has become of an instruction. */
export interface Patched {
  readonly poisoned: boolean
  /** Value that the instruction held, as libbpf's debug log prints it: sign-extended, then unsigned 64 bits. */
  readonly oldValue: bigint
  /** `undefined` where it was poisoned. */
  readonly newValue: bigint | undefined
  /** Bytes that a load or store accessed and accesses now, where that changed. */
  readonly memSize: { readonly from: number; readonly to: number } | undefined
}

/** Instructions of one function. */
export interface InsnEditor {
  /** What the instructions are now. */
  view: InsnView
  /** They are no longer the caller's. */
  copied: boolean
}

/** An editor that leaves `bytes` alone. */
export function editInsns(bytes: Uint8Array, littleEndian: boolean): InsnEditor {
  return { view: new InsnView(bytes, { littleEndian }), copied: false }
}

/** The instructions, to be written to: copied when the first of them changes. */
function edit(insns: InsnEditor): InsnView {
  if (!insns.copied) {
    const { bytes, littleEndian } = insns.view
    // Not slice(): of a Node Buffer that is a view.
    insns.view = new InsnView(new Uint8Array(bytes), { littleEndian })
    insns.copied = true
  }
  return insns.view
}

/** Slots of the instruction at `index`; 2 for a wide one. Throws `CORE_INSN` where it does not end in the function. */
export function slotsAt(view: InsnView, index: number): 1 | 2 {
  if (!(Number.isInteger(index) && index >= 0 && index < view.count)) {
    throw fail('CORE_INSN', `the function has ${view.count} instruction slots, none at ${index}`)
  }
  if (view.opcode(index) !== wideOpcode) return 1
  if (view.isWide(index)) return 2
  throw fail('CORE_INSN', 'the wide instruction is cut off by the end of the function')
}

/** The value that a relocatable instruction holds, sign-extended; `undefined` for any other instruction. */
export function heldValue(view: InsnView, index: number): bigint | undefined {
  const opcode = view.opcode(index)
  switch (insnClassOf(opcode)) {
    case 'alu':
    case 'alu64':
      return (opcode & sourceOperands.value('x')) === 0 ? unsigned(view.imm(index)) : undefined
    case 'ldx':
    case 'st':
    case 'stx':
      return unsigned(view.off(index))
    case 'ld':
      return isPlainWide(view, index) ? view.imm64(index) : undefined
    default:
      return undefined
  }
}

function unsigned(value: number): bigint {
  return value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value)
}

/** A wide load of a plain number: neither slot has anything but the destination and the immediates. */
function isPlainWide(view: InsnView, index: number): boolean {
  const next = index + 1
  return (
    view.isWide(index) &&
    view.src(index) === 0 &&
    view.off(index) === 0 &&
    view.opcode(next) === 0 &&
    view.dst(next) === 0 &&
    view.src(next) === 0 &&
    view.off(next) === 0
  )
}

/**
 * Patches an instruction as libbpf's `bpf_core_patch_insn` does: the immediate of an arithmetic instruction or a wide
 * load, or the offset of a load or store and, with it, the size of the access.
 *
 * Throws `CORE_INSN`, `CORE_INSN_VALUE`, `CORE_RANGE`, `CORE_MEM_SIZE`, and has changed nothing then.
 * `held` is what {@link heldValue} says.
 */
export function patchInsn(
  insns: InsnEditor,
  index: number,
  held: bigint | undefined,
  decision: Decision,
): Patched {
  const { view } = insns
  if (held === undefined) {
    const opcode = view.opcode(index)
    const fields = {
      opcode,
      dst: view.dst(index),
      src: view.src(index),
      off: view.off(index),
      imm: view.imm(index),
    }
    throw fail(
      'CORE_INSN',
      `CO-RE cannot patch the instruction ${opOf(fields)} (opcode 0x${opcode.toString(16)})`,
    )
  }
  const { newValue } = decision
  if (newValue === undefined) return poison(insns, index, held)
  if (decision.validate && held !== decision.oldValue) {
    throw fail(
      'CORE_INSN_VALUE',
      `the instruction holds ${held}, but the local type gives ${decision.oldValue} (and the target ${newValue})`,
    )
  }
  switch (insnClassOf(view.opcode(index))) {
    case 'ldx':
    case 'st':
    case 'stx':
      return patchMemory(insns, index, held, newValue, decision)
    case 'ld':
      if (held !== newValue) edit(insns).setImm64(index, newValue)
      break
    default: {
      const imm = Number(BigInt.asIntN(32, newValue))
      if (view.imm(index) !== imm) edit(insns).setImm(index, imm)
    }
  }
  return { poisoned: false, oldValue: held, newValue, memSize: undefined }
}

function patchMemory(
  insns: InsnEditor,
  index: number,
  held: bigint,
  newValue: bigint,
  { oldSize, newSize, sizesFit }: Decision,
): Patched {
  if (newValue > 0x7fffn) {
    throw fail(
      'CORE_RANGE',
      `the target's offset ${newValue} does not fit the offset of a load or store (32767)`,
    )
  }
  if (!sizesFit) return poison(insns, index, held)
  let opcode = insns.view.opcode(index)
  if (oldSize !== newSize) {
    const bytes = accessBytesOf(opcode)
    if (bytes !== oldSize) {
      throw fail('CORE_MEM_SIZE', `the instruction accesses ${bytes} bytes of a field of ${oldSize}`)
    }
    const resized = withAccessBytes(opcode, newSize)
    if (resized === undefined) {
      throw fail('CORE_MEM_SIZE', `no instruction accesses the ${newSize} bytes of the target's field`)
    }
    opcode = resized
  }
  const off = Number(newValue)
  if (insns.view.off(index) !== off) edit(insns).setOff(index, off)
  if (insns.view.opcode(index) !== opcode) edit(insns).setOpcode(index, opcode)
  const memSize = oldSize === newSize ? undefined : { from: oldSize, to: newSize }
  return { poisoned: false, oldValue: held, newValue, memSize }
}

function poison(insns: InsnEditor, index: number, oldValue: bigint): Patched {
  const slots = slotsAt(insns.view, index)
  const view = edit(insns)
  for (let i = index; i < index + slots; i++) {
    view.setOpcode(i, rowOf('call').opcode)
    view.setDst(i, 0)
    view.setSrc(i, 0)
    view.setOff(i, 0)
    view.setImm(i, poisonImm)
  }
  return { poisoned: true, oldValue, newValue: undefined, memSize: undefined }
}
