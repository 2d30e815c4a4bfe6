/** The lower 32 bits of a register: `w0` to `w10`. An instruction that takes it works on 32 bits. */
export interface Register32 {
  readonly kind: 'register'
  readonly bits: 32
  /** 0 to 10. */
  readonly number: number
  /** False for `w10`. */
  readonly writable: boolean
}

/** A register: `r0` to `r10` (RFC 9669 section 3.1). */
export interface Register64 {
  readonly kind: 'register'
  readonly bits: 64
  /** 0 to 10. */
  readonly number: number
  /** False for `r10`, the frame pointer. */
  readonly writable: boolean
  /** The memory `offset` bytes from where the register points; 16 bits, signed. */
  at(offset: number): Memory
}

/** What a register has to be where an instruction writes it: every one but `r10` and `w10` is. */
export interface Writable {
  readonly writable: true
}

/** A place in memory, made by `r1.at(8)`: what loads, stores and atomic operations access. */
export interface Memory {
  readonly kind: 'memory'
  readonly base: Register64
  /** Bytes. */
  readonly offset: number
}

type General64 = Register64 & Writable
type General32 = Register32 & Writable
type FramePointer = Register64 & { readonly writable: false }

function register64<const W extends boolean>(
  number: number,
  writable: W,
): Register64 & { readonly writable: W } {
  const register: Register64 & { readonly writable: W } = {
    kind: 'register',
    bits: 64,
    number,
    writable,
    at: (offset) => ({ kind: 'memory', base: register, offset }),
  }
  return register
}

const register32 = (number: number): General32 => ({ kind: 'register', bits: 32, number, writable: true })

/** What a call returns and what `exit` returns; a call overwrites it. */
export const r0: General64 = /* @__PURE__ */ register64(0, true)
/** First argument of a call, which overwrites it; the context where a program starts. */
export const r1: General64 = /* @__PURE__ */ register64(1, true)
/** Second argument of a call, which overwrites it. */
export const r2: General64 = /* @__PURE__ */ register64(2, true)
/** Third argument of a call, which overwrites it. */
export const r3: General64 = /* @__PURE__ */ register64(3, true)
/** Fourth argument of a call, which overwrites it. */
export const r4: General64 = /* @__PURE__ */ register64(4, true)
/** Fifth argument of a call, which overwrites it. */
export const r5: General64 = /* @__PURE__ */ register64(5, true)
/** Kept by calls. */
export const r6: General64 = /* @__PURE__ */ register64(6, true)
/** Kept by calls. */
export const r7: General64 = /* @__PURE__ */ register64(7, true)
/** Kept by calls. */
export const r8: General64 = /* @__PURE__ */ register64(8, true)
/** Kept by calls. */
export const r9: General64 = /* @__PURE__ */ register64(9, true)
/** Frame pointer: the 512 bytes below it are the function's stack. It cannot be written. */
export const r10: FramePointer = /* @__PURE__ */ register64(10, false)

/** Lower 32 bits of {@link r0}. */
export const w0: General32 = /* @__PURE__ */ register32(0)
/** Lower 32 bits of {@link r1}. */
export const w1: General32 = /* @__PURE__ */ register32(1)
/** Lower 32 bits of {@link r2}. */
export const w2: General32 = /* @__PURE__ */ register32(2)
/** Lower 32 bits of {@link r3}. */
export const w3: General32 = /* @__PURE__ */ register32(3)
/** Lower 32 bits of {@link r4}. */
export const w4: General32 = /* @__PURE__ */ register32(4)
/** Lower 32 bits of {@link r5}. */
export const w5: General32 = /* @__PURE__ */ register32(5)
/** Lower 32 bits of {@link r6}. */
export const w6: General32 = /* @__PURE__ */ register32(6)
/** Lower 32 bits of {@link r7}. */
export const w7: General32 = /* @__PURE__ */ register32(7)
/** Lower 32 bits of {@link r8}. */
export const w8: General32 = /* @__PURE__ */ register32(8)
/** Lower 32 bits of {@link r9}. */
export const w9: General32 = /* @__PURE__ */ register32(9)
/** Lower 32 bits of {@link r10}; it cannot be written. */
export const w10: Register32 & { readonly writable: false } = {
  kind: 'register',
  bits: 32,
  number: 10,
  writable: false,
}
