/** What RFC 9669 says that instructions compute: one function for each operation, over unsigned 64-bit values. */

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

/** Values of a width: all arithmetic is modulo 2 to that power (section 4.1). */
interface Width {
  readonly bits: 32 | 64
  readonly unsigned: (value: bigint) => bigint
  readonly signed: (value: bigint) => bigint
}

const width = (bits: 32 | 64): Width => ({
  bits,
  unsigned: (value) => BigInt.asUintN(bits, value),
  signed: (value) => BigInt.asIntN(bits, value),
})
const widths = { 32: width(32), 64: width(64) }

type Binary = (a: bigint, b: bigint, w: Width) => bigint

/** The shift count is masked to the width. */
const count = (b: bigint, w: Width): bigint => b & BigInt(w.bits - 1)

/** Section 4.1: division by zero gives 0, and a remainder of it leaves the dividend. */
const arithmetic: Readonly<Record<string, Binary>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b, w) => (w.unsigned(b) === 0n ? 0n : w.unsigned(a) / w.unsigned(b)),
  sdiv: (a, b, w) => (w.signed(b) === 0n ? 0n : w.signed(a) / w.signed(b)),
  mod: (a, b, w) => (w.unsigned(b) === 0n ? a : w.unsigned(a) % w.unsigned(b)),
  smod: (a, b, w) => (w.signed(b) === 0n ? a : w.signed(a) % w.signed(b)),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, w) => a << count(b, w),
  rsh: (a, b, w) => w.unsigned(a) >> count(b, w),
  arsh: (a, b, w) => w.signed(a) >> count(b, w),
  mov: (_, b) => b,
}

/** Section 4.3. */
const conditions: Readonly<Record<string, (a: bigint, b: bigint, w: Width) => boolean>> = {
  jeq: (a, b, w) => w.unsigned(a) === w.unsigned(b),
  jne: (a, b, w) => w.unsigned(a) !== w.unsigned(b),
  jset: (a, b, w) => w.unsigned(a & b) !== 0n,
  jgt: (a, b, w) => w.unsigned(a) > w.unsigned(b),
  jge: (a, b, w) => w.unsigned(a) >= w.unsigned(b),
  jlt: (a, b, w) => w.unsigned(a) < w.unsigned(b),
  jle: (a, b, w) => w.unsigned(a) <= w.unsigned(b),
  jsgt: (a, b, w) => w.signed(a) > w.signed(b),
  jsge: (a, b, w) => w.signed(a) >= w.signed(b),
  jslt: (a, b, w) => w.signed(a) < w.signed(b),
  jsle: (a, b, w) => w.signed(a) <= w.signed(b),
}

/** The bytes of the low `bits` in the other order. */
function swapped(value: bigint, bits: number): bigint {
  let result = 0n
  for (let at = 0; at < bits; at += 8) result = (result << 8n) | ((value >> BigInt(at)) & 0xffn)
  return result
}

/** What an arithmetic instruction leaves in dst; `undefined` where the name is of another kind. A result of 32 bits is zero-extended. */
export function arithmeticResult(op: string, a: bigint, b: bigint): bigint | undefined {
  const binary = /^([a-z]+)(32|64)_(?:imm|reg)$/.exec(op)
  const operation = arithmetic[binary?.[1] ?? '']
  if (binary !== null && operation !== undefined) {
    const w = widths[Number(binary[2]) as 32 | 64]
    return w.unsigned(operation(a, b, w))
  }
  const negation = /^neg(32|64)$/.exec(op)
  if (negation !== null) return BigInt.asUintN(Number(negation[1]), -a)
  const extension = /^movsx(32|64)_(\d+)$/.exec(op)
  if (extension !== null) return BigInt.asUintN(Number(extension[1]), BigInt.asIntN(Number(extension[2]), b))
  // Section 4.2, on a host that is little endian: `le` only truncates.
  const swap = /^(le|be|bswap)(16|32|64)$/.exec(op)
  if (swap === null) return undefined
  const bits = Number(swap[2])
  return swap[1] === 'le' ? BigInt.asUintN(bits, a) : swapped(a, bits)
}

/** Whether a jump is taken. */
export function isTaken(op: string, a: bigint, b: bigint): boolean | undefined {
  const [, name = '', narrow] = /^([a-z]+)(32)?_(?:imm|reg)$/.exec(op) ?? []
  return conditions[name]?.(a, b, widths[narrow === undefined ? 64 : 32])
}

const sizes: Readonly<Record<string, number>> = { b: 8, h: 16, w: 32, dw: 64 }

/** What a load of the little-endian word at its address gives (sections 5.1 and 5.2). */
export function loaded(op: string, memory: bigint): bigint | undefined {
  const [, signed, size = ''] = /^(?:ldx(s)?|load_acq_)(b|h|w|dw)$/.exec(op) ?? []
  const bits = sizes[size]
  if (bits === undefined) return undefined
  return u64(signed === undefined ? BigInt.asUintN(bits, memory) : BigInt.asIntN(bits, memory))
}

/** The little-endian word at its address after a store of `value`. */
export function stored(op: string, memory: bigint, value: bigint): bigint | undefined {
  const bits = sizes[/^(?:stx?|store_rel_)(b|h|w|dw)$/.exec(op)?.[1] ?? '']
  if (bits === undefined) return undefined
  return (u64(memory >> BigInt(bits)) << BigInt(bits)) | BigInt.asUintN(bits, value)
}

/** Memory, src and r0 after an atomic operation (section 5.3); of 32 bits, the upper half of the memory stays. */
export function atomicResult(
  op: string,
  memory: bigint,
  src: bigint,
  r0: bigint,
): { readonly memory: bigint; readonly src: bigint; readonly r0: bigint } | undefined {
  const [, fetch, name = '', digits] = /^atomic_(fetch_)?([a-z]+)(32|64)$/.exec(op) ?? []
  if (digits === undefined) return undefined
  const w = widths[Number(digits) as 32 | 64]
  const old = w.unsigned(memory)
  const within = (value: bigint): bigint =>
    (u64(memory >> BigInt(w.bits)) << BigInt(w.bits)) | w.unsigned(value)
  if (name === 'xchg') return { memory: within(src), src: old, r0 }
  if (name === 'cmpxchg') return { memory: old === w.unsigned(r0) ? within(src) : memory, src, r0: old }
  const operation = arithmetic[name]
  if (operation === undefined) return undefined
  return { memory: within(operation(old, src, w)), src: fetch === undefined ? src : old, r0 }
}
