import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { encodeInsns, InsnView, makeInsn, swapInsns } from './index.ts'

const insns = [
  makeInsn('ldxw', { dst: 1, src: 2, off: -4 }),
  makeInsn('lddw_map_value', { dst: 3, imm64: 0x1122334455667788n }),
  makeInsn('exit'),
]

const code = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error.code
    throw error
  }
  return undefined
}

describe.each([true, false])('InsnView, littleEndian %s', (littleEndian) => {
  const view = (): InsnView => new InsnView(encodeInsns(insns, { littleEndian }), { littleEndian })

  it('reads each field', () => {
    const v = view()
    expect([v.count, v.opcode(0), v.dst(0), v.src(0), v.off(0), v.imm(0)]).toEqual([4, 0x61, 1, 2, -4, 0])
    expect([v.isWide(0), v.isWide(1), v.dst(1), v.src(1), v.imm64(1)]).toEqual([
      false,
      true,
      3,
      2,
      0x1122334455667788n,
    ])
  })

  it('writes one field and leaves the others', () => {
    const v = view()
    v.setOpcode(0, 0x79)
    v.setDst(0, 9)
    v.setOff(0, 0x7fff)
    v.setImm(0, 0xffff_ffff)
    v.setSrc(0, 10)
    expect([v.opcode(0), v.dst(0), v.src(0), v.off(0), v.imm(0)]).toEqual([0x79, 9, 10, 0x7fff, -1])
    v.setImm64(1, -2n)
    expect([v.imm64(1), v.imm(1), v.imm(2), v.opcode(2), v.opcode(3)]).toEqual([
      0xffff_ffff_ffff_fffen,
      -2,
      -1,
      0,
      0x95,
    ])
  })

  it('aliases the bytes that it was given, wherever they start', () => {
    const bytes = encodeInsns(insns, { littleEndian })
    const within = new Uint8Array(bytes.length + 5)
    within.set(bytes, 5)
    new InsnView(within.subarray(5), { littleEndian }).setOpcode(3, 7)
    expect(within[5 + 24]).toBe(7)
  })

  it('refuses what is not there or does not fit', () => {
    const v = view()
    expect(code(() => v.opcode(4))).toBe('ISA_NO_SUCH_SLOT')
    expect(code(() => v.imm(-1))).toBe('ISA_NO_SUCH_SLOT')
    expect(code(() => v.imm(Number.NaN))).toBe('ISA_NO_SUCH_SLOT')
    expect(code(() => v.imm64(0))).toBe('ISA_NOT_WIDE')
    expect(code(() => v.setOff(0, 0x8000))).toBe('ISA_FIELD_RANGE')
    expect(code(() => v.setImm(0, 2 ** 32))).toBe('ISA_FIELD_RANGE')
    expect(code(() => v.setImm(0, 0.5))).toBe('ISA_FIELD_RANGE')
    expect(code(() => v.setDst(0, 16))).toBe('ISA_FIELD_RANGE')
    expect(code(() => v.setOpcode(0, 256))).toBe('ISA_FIELD_RANGE')
    expect(code(() => v.setImm64(1, 1n << 64n))).toBe('ISA_FIELD_RANGE')
    expect([...v.bytes]).toEqual([...encodeInsns(insns, { littleEndian })])
    expect(code(() => new InsnView(new Uint8Array(12), { littleEndian }))).toBe('ISA_TRUNCATED')
  })
})

describe('swapInsns', () => {
  it('gives the other byte order, registers included', () => {
    const little = encodeInsns(insns, { littleEndian: true })
    const big = encodeInsns(insns, { littleEndian: false })
    expect(swapInsns(little)).toEqual(big)
    expect(swapInsns(big)).toEqual(little)
    expect(code(() => swapInsns(new Uint8Array(9)))).toBe('ISA_TRUNCATED')
  })
})
