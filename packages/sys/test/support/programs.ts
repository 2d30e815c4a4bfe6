/** Little programs as bytes; written out here because the assembler is on a higher floor. */

const insn = (opcode: number, registers: number, off: number, imm: number): number[] => [
  opcode,
  registers,
  off & 0xff,
  (off >> 8) & 0xff,
  imm & 0xff,
  (imm >> 8) & 0xff,
  (imm >> 16) & 0xff,
  (imm >> 24) & 0xff,
]

const exit = insn(0x95, 0, 0, 0)

/** r0 = 2; exit */
export const returnTwo: Uint8Array = Uint8Array.from([...insn(0xb7, 0, 0, 2), ...exit])

/**
 * A program that takes the verifier long: `rounds` branches on unknown data leave as many values of r7 as there are
 * paths, and the last comparison makes it tell them apart. It gives up after a million instructions (E2BIG).
 */
export function heavyProgram(rounds: number): Uint8Array {
  const code: number[] = [...insn(0xbf, 0x16, 0, 0), ...insn(0xb7, 7, 0, 0)] // r6 = r1; r7 = 0
  for (let i = 0; i < rounds; i++) {
    code.push(
      ...insn(0x61, 0x61, 0, 0), // r1 = *(u32 *)(r6 + 0)
      ...insn(0x67, 7, 0, 1), // r7 <<= 1
      ...insn(0x55, 0x01, 1, i), // if r1 != i goto +1
      ...insn(0x07, 7, 0, 1), // r7 += 1
    )
  }
  code.push(...insn(0xb7, 0, 0, 0), ...insn(0x15, 7, 1, 7), ...insn(0xb7, 0, 0, 1), ...exit) // if r7 == 7 goto +1
  return Uint8Array.from(code)
}

/** A program that puts the 8 bytes of `value` into a ring buffer (helper 130) and returns 0. */
export function ringbufOutput(mapFd: number, value: number): Uint8Array {
  return Uint8Array.from([
    ...insn(0xb7, 1, 0, value), // r1 = value
    ...insn(0x7b, 0x1a, -8, 0), // *(u64 *)(r10 - 8) = r1
    ...insn(0x18, 0x11, 0, mapFd), // r1 = map fd, a wide instruction
    ...insn(0, 0, 0, 0),
    ...insn(0xbf, 0xa2, 0, 0), // r2 = r10
    ...insn(0x07, 2, 0, -8), // r2 += -8
    ...insn(0xb7, 3, 0, 8),
    ...insn(0xb7, 4, 0, 0),
    ...insn(0x85, 0, 0, 130), // call bpf_ringbuf_output
    ...insn(0xb7, 0, 0, 0),
    ...exit,
  ])
}

/** BTF of one type, `int` of 4 bytes, signed. */
export const btfOfInt: Uint8Array = Uint8Array.from([
  ...[0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0], // header
  ...[1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 32, 0, 0, 1], // name 1, BTF_KIND_INT, size 4, signed, 32 bits
  ...[0, 0x69, 0x6e, 0x74, 0], // "", "int"
])
