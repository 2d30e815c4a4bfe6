import { isTsbpfError } from '@tsbpf/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeInsn,
  decodeInsns,
  encodeInsn,
  encodeInsns,
  instructionSet,
  makeInsn,
  swapInsns,
} from '../../src/index.ts'
import { insns, insnsOf } from '../arbitraries.ts'

describe('decode∘encode = id', () => {
  it.each(instructionSet.map((row) => [row.name, row] as const))('%s', (_, row) => {
    fc.assert(
      fc.property(insnsOf(row), fc.boolean(), (insn, littleEndian) => {
        const bytes = encodeInsn(insn, { littleEndian })
        expect(bytes.length).toBe(row.wide ? 16 : 8)
        expect(decodeInsn(bytes, 0, { littleEndian })).toEqual(insn)
      }),
    )
  })

  it('lists of instructions, with the index of each', () => {
    fc.assert(
      fc.property(fc.array(insns), fc.boolean(), (list, littleEndian) => {
        const bytes = encodeInsns(list, { littleEndian })
        const decoded = [...decodeInsns(bytes, { littleEndian })]
        expect(decoded.map((at) => at.insn)).toEqual(list)
        for (const { index, insn } of decoded)
          expect(decodeInsn(bytes, index, { littleEndian })).toEqual(insn)
      }),
    )
  })

  it('makeInsn makes what decodes to the same', () => {
    fc.assert(
      fc.property(insns, (insn) => {
        const { op, dst, src, off, imm } = insn
        if (op === 'raw') return
        const made = makeInsn(op, { dst, src, off, imm })
        expect({ ...made, nextImm: insn.nextImm }).toEqual(insn)
      }),
    )
  })
})

/** Opcodes that exist more often than by chance, so that the reserved fields are what is at random. */
const words = fc
  .tuple(
    fc.oneof(fc.nat(255), fc.constantFrom(...instructionSet.map((row) => row.opcode))),
    fc.uint8Array({ minLength: 15, maxLength: 15 }),
    fc.boolean(),
  )
  .map(([opcode, rest, quiet]) => {
    const bytes = new Uint8Array([opcode, ...rest])
    if (quiet) bytes.fill(0, 2, 12)
    return bytes
  })

describe('encode∘decode = id', () => {
  it('any bytes of whole instructions', () => {
    fc.assert(
      fc.property(fc.array(words), fc.boolean(), (list, littleEndian) => {
        const bytes = new Uint8Array([...list.flatMap((word) => [...word]), ...new Uint8Array(8)])
        const decoded = [...decodeInsns(bytes, { littleEndian })]
        expect(
          encodeInsns(
            decoded.map((at) => at.insn),
            { littleEndian },
          ),
        ).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })

  it('any bytes give instructions or a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, littleEndian) => {
        try {
          const list = [...decodeInsns(bytes, { littleEndian })].map((at) => at.insn)
          expect(encodeInsns(list, { littleEndian })).toEqual(bytes)
        } catch (error) {
          if (!isTsbpfError(error, 'ISA_TRUNCATED')) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('swapInsns', () => {
  it('says the same instructions in the other byte order', () => {
    fc.assert(
      fc.property(fc.array(insns), (list) => {
        const little = encodeInsns(list, { littleEndian: true })
        const big = encodeInsns(list, { littleEndian: false })
        expect(swapInsns(little)).toEqual(big)
        expect(swapInsns(swapInsns(little))).toEqual(little)
      }),
    )
  })
})
