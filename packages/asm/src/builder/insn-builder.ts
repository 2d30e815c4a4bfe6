/* eslint-disable @typescript-eslint/prefer-function-type -- editors show what stands at a call signature, not at a function type */
import type { Insn, OpName } from '@tsbpf/isa'
import type { Global, GlobalPlace, Kfunc, UniqueLabel, MapDefinition, Subprogram } from './definitions.ts'
import type { HelperFunction } from './helpers.ts'
import type { MnemonicOf } from './mnemonic.ts'
import type { Memory, Register32, Register64, Writable } from './register.ts'

/** A label by its name, or one of its own that {@link newLabel} made. */
export type LabelReference = string | UniqueLabel
/** A number of an instruction; a bigint is the same as the number of its value. */
export type Immediate = number | bigint

type To64 = Register64 & Writable
type To32 = Register32 & Writable

interface Arithmetic {
  /** `dst op= src` on 64 bits; a number is sign-extended from 32 bits (RFC 9669 section 4.1). */
  (dst: To64, src: Register64 | Immediate): InsnBuilder
  /** `dst op= src` on the lower 32 bits; the upper half of `dst` becomes 0. */
  (dst: To32, src: Register32 | Immediate): InsnBuilder
}
interface Unary {
  /** `dst = -dst`, on the bits that the register has (RFC 9669 section 4.1). */
  (dst: To64 | To32): InsnBuilder
}
interface SignExtend {
  /** `dst` becomes the low bits of `src`, sign-extended to 64 bits (RFC 9669 section 4.1). */
  (dst: To64, src: Register64): InsnBuilder
  /** `dst` becomes the low bits of `src`, sign-extended to 32 bits; the upper half becomes 0. */
  (dst: To32, src: Register32): InsnBuilder
}
interface SignExtendWord {
  /** `dst` becomes the low 32 bits of `src`, sign-extended (RFC 9669 section 4.1). */
  (dst: To64, src: Register64): InsnBuilder
}
interface ByteSwap {
  /** Changes the byte order of the low bits of `dst` and clears the rest (RFC 9669 section 4.2). */
  (dst: To64): InsnBuilder
}
interface AddressCast {
  /** `dst` becomes `src` in another address space: `imm` has the destination in its upper, the source in its lower half. */
  (dst: To64, src: Register64, imm: Immediate): InsnBuilder
}
interface Load {
  /** Loads from memory: `ldxw(r0, r1.at(4))` (RFC 9669 section 5). */
  (dst: To64, from: Memory): InsnBuilder
}
interface StoreNumber {
  /** Stores a number into memory: `stw(r10.at(-4), 0)` (RFC 9669 section 5.1). */
  (to: Memory, imm: Immediate): InsnBuilder
}
interface Store {
  /** Stores a register into memory: `stxw(r10.at(-4), r1)` (RFC 9669 section 5.1). */
  (to: Memory, src: Register64): InsnBuilder
}
interface Atomic {
  /** Changes memory atomically, as many bits as the register has (RFC 9669 section 5.3). */
  (at: Memory, src: Register64 | Register32): InsnBuilder
}
interface AtomicFetch {
  /** Changes memory atomically; the register then has what was there before (RFC 9669 section 5.3). */
  (at: Memory, src: To64 | To32): InsnBuilder
}
interface AtomicCompare {
  /** Puts `src` into memory where `r0` (`w0`) is there; `r0` then has what was there before (RFC 9669 section 5.3). */
  (at: Memory, src: Register64 | Register32): InsnBuilder
}
interface Jump {
  /** Goes to a label; `ja` becomes `gotol` where it is too far (RFC 9669 section 4.3). */
  (to: LabelReference): InsnBuilder
}
interface ConditionalJump {
  /** Goes to a label where `a` compares so with `b`, on 64 bits (RFC 9669 section 4.3). */
  (a: Register64, b: Register64 | Immediate, to: LabelReference): InsnBuilder
  /** The same on the lower 32 bits. */
  (a: Register32, b: Register32 | Immediate, to: LabelReference): InsnBuilder
}
interface Indirect {
  /** Goes to, or calls, where the register points. */
  (to: Register64): InsnBuilder
}
interface WideNumber {
  /** Loads 64 bits that the kernel puts in place of two numbers (RFC 9669 section 5.4): `lddw_map_fd(r1, fd)`. */
  (dst: To64, imm: Immediate, nextImm?: Immediate): InsnBuilder
}
interface PacketAbsolute {
  /** Loads from the packet at an offset into `r0`, the context in `r6` (RFC 9669 section 5.5). */
  (imm: Immediate): InsnBuilder
}
interface PacketIndirect {
  /** Loads from the packet at a register and an offset into `r0`, the context in `r6` (RFC 9669 section 5.5). */
  (src: Register64, imm: Immediate): InsnBuilder
}
interface Wide {
  /**
   * Loads 64 bits: a number of up to 64, or the address of a map, of a global variable or of a subprogram (for
   * callbacks), which the loader fills in (RFC 9669 section 5.4).
   */
  (dst: To64, value: Immediate | MapDefinition | Global | GlobalPlace | Subprogram): InsnBuilder
}
interface Call {
  /**
   * Calls a helper (`helpers.ktime_get_ns`, or its number), a subprogram or a kfunc with `r1` to `r5`; the result comes
   * in `r0`, and `r1` to `r5` are lost (RFC 9669 section 4.3.1).
   */
  (callee: HelperFunction | number | Subprogram | Kfunc): InsnBuilder
}
interface CallKfunc {
  /** Calls the kfunc of a BTF id, of the module at `module` in the load's array of descriptors. */
  (btfId: Immediate, module?: Immediate): InsnBuilder
}
interface Exit {
  /** Returns `r0` (RFC 9669 section 4.3). */
  (): InsnBuilder
}

type Size = 'b' | 'h' | 'w' | 'dw'

type Signature<M extends string> = M extends 'lddw'
  ? Wide
  : M extends 'call'
    ? Call
    : M extends 'call_kfunc'
      ? CallKfunc
      : M extends 'exit'
        ? Exit
        : M extends 'ja' | 'gotol' | 'may_goto'
          ? Jump
          : M extends 'gotox' | 'callx'
            ? Indirect
            : M extends 'neg'
              ? Unary
              : M extends 'addr_space_cast'
                ? AddressCast
                : M extends 'movsx32'
                  ? SignExtendWord
                  : M extends `movsx${string}`
                    ? SignExtend
                    : M extends `${'le' | 'be' | 'bswap'}${16 | 32 | 64}`
                      ? ByteSwap
                      : M extends `ldx${string}` | `load_acq_${Size}`
                        ? Load
                        : M extends `st${Size}`
                          ? StoreNumber
                          : M extends `stx${Size}` | `store_rel_${Size}`
                            ? Store
                            : M extends 'atomic_cmpxchg'
                              ? AtomicCompare
                              : M extends `atomic_fetch_${string}` | 'atomic_xchg'
                                ? AtomicFetch
                                : M extends `atomic_${string}`
                                  ? Atomic
                                  : M extends `lddw_${string}`
                                    ? WideNumber
                                    : M extends `ld_abs_${string}`
                                      ? PacketAbsolute
                                      : M extends `ld_ind_${string}`
                                        ? PacketIndirect
                                        : `${M}64_imm` extends OpName
                                          ? Arithmetic
                                          : `${M}32_imm` extends OpName
                                            ? ConditionalJump
                                            : never

/** Rows that need a distance are reached by what they lead to: `call(subprogram)` and `lddw(r1, subprogram)`. */
type Mnemonic = MnemonicOf<Exclude<OpName, 'call_subprogram' | 'lddw_func'>>

/** One method for each mnemonic of the instruction set; their types come from the names of its rows. */
export type InsnMethods = { readonly [M in Mnemonic]: Signature<M> }

/**
 * Adds instructions to a function, one for each call, in order; every method gives the builder back, and may be taken
 * off it: `({ mov, exit }) => { mov(r0, 0); exit() }`. There is a method for each instruction of the set
 * (`instructionSet` of `@tsbpf/isa`), under its name without what operands say: `add(r0, 1)` is `add64_imm`,
 * `add(w0, w1)` is `add32_reg`.
 *
 * A wrong operand does not compile; in JavaScript it throws `ASM_OPERAND`. Numbers are checked against their field
 * (`ASM_IMMEDIATE`), writes to `r10` refused (`ASM_WRITE_R10`); each error says at which line of the caller.
 *
 * @example
 * ```ts
 * import { buildInsns, r0 } from '@tsbpf/asm'
 * const insns = buildInsns((b) => b.mov(r0, 0).label('loop').add(r0, 1).jlt(r0, 10, 'loop').exit())
 * ```
 */
export interface InsnBuilder extends InsnMethods {
  /** Names the place of the next instruction; jumps to it may stand before or after. `ASM_DUPLICATE` for a second one. */
  label(name: LabelReference): InsnBuilder
  /** Adds an instruction as it is, unchecked; `ASM_OPERAND` for one that jumps or calls by distance. */
  insn(insn: Insn): InsnBuilder
}

/** What a function does: it is called once, and adds the function's instructions to the builder that it is given. */
export type FunctionBody = (b: InsnBuilder) => unknown
