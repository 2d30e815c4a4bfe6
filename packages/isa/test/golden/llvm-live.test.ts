import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeInsns, disassemble, instructionSet, labelsOf } from '../../src/index.ts'
import { hasTool, named, objdump, parseObjdump, withObject } from '../objdump.ts'
import { isKnown } from './disagreements.ts'

const assembler = 'llvm-mc-19'

/** Words of all opcodes with fields that are often small: most have something in a reserved field. */
const words = fc
  .record({
    opcode: fc.oneof(fc.nat(255), fc.constantFrom(...instructionSet.map((row) => row.opcode))),
    regs: fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x01, 0x21, 0xa9, 0xbb)),
    off: fc.oneof(fc.constantFrom(0, 0, 0, 1, 8, 16, 32, -1), fc.integer({ min: -0x8000, max: 0x7fff })),
    imm: fc.oneof(fc.constantFrom(0, 0, 1, -1, 16, 32, 64), fc.nat(0x120), fc.integer()),
  })
  .map(({ opcode, regs, off, imm }) => {
    const word = new Uint8Array(16)
    const view = new DataView(word.buffer)
    view.setUint8(0, opcode)
    view.setUint8(1, regs)
    view.setInt16(2, off, true)
    view.setInt32(4, imm, true)
    // The second slot of a wide instruction; for others it is an instruction that says nothing.
    view.setInt32(12, imm, true)
    return opcode === 0x18 ? word : word.subarray(0, 8)
  })

/** What is not followed for words that are no instructions: LLVM reads a few bits of an atomic operation's imm, and only 22 knows gotox. */
const notFollowed = new Set(
  instructionSet
    .filter((row) => /^(atomic|load_acq|store_rel|gotox)/.test(row.name))
    .map((row) => row.opcode),
)

describe.skipIf(!hasTool(assembler)).each([
  ['llvm-objdump-19', [], {}],
  ['llvm-objdump-19 --mcpu=v4', ['--mcpu=v4'], { alu32: true }],
  ['llvm-objdump-22', [], { alu32: true }],
] as const)('random words as %s', (command, args, options) => {
  const tool = command.split(' ')[0]!
  it.skipIf(!hasTool(tool)).each([true, false])(
    `prints the same as ${named(tool)}, littleEndian %s`,
    (littleEndian) => {
      fc.assert(
        fc.property(fc.array(words, { minLength: 2000, maxLength: 2000 }), (list) => {
          const bytes = new Uint8Array(list.flatMap((word) => [...word]))
          if (!littleEndian) swapFields(bytes)
          const output = withObject(bytes, littleEndian, assembler, (file) =>
            objdump(tool, ['-d', ...args, file]),
          )
          const theirs = new Map(parseObjdump(output)[0]!.lines.map((line) => [line.index, line.text]))
          const insns = new Map(
            [...decodeInsns(bytes, { littleEndian })].map((at) => [at.index as number, at.insn]),
          )
          const labelOf = labelsOf('.text', [])
          for (const { index, text } of disassemble(bytes, { littleEndian, labelOf, ...options })) {
            const insn = insns.get(index)!
            const expected = theirs.get(index)
            // llvm-objdump prints three dots for a run of zeroes.
            if (expected === undefined && insn.opcode === 0 && insn.imm === 0) continue
            if (expected === undefined) throw new RangeError(`${tool} printed nothing for slot ${index}`)
            if (insn.op === 'raw' ? notFollowed.has(insn.opcode) : isKnown(insn, command, expected)) continue
            if (insn.op === 'raw' && (insn.nextImm ?? 0) !== 0) continue
            expect(`${index}: ${text}`, JSON.stringify(insn)).toBe(`${index}: ${expected}`)
          }
        }),
        { numRuns: 2, endOnFailure: true },
      )
    },
  )
})

function swapFields(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 8) {
    bytes.subarray(at + 2, at + 4).reverse()
    bytes.subarray(at + 4, at + 8).reverse()
  }
}
