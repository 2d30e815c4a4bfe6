import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { decodeInsn, decodeInsns, encodeInsn, imm64Of, makeInsn } from './index.ts'

const little = { littleEndian: true }
const word = (...bytes: number[]): Uint8Array => new Uint8Array(bytes)

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('decodeInsn', () => {
  it('tells apart what an opcode does not', () => {
    const op = (...bytes: number[]): string => decodeInsn(word(...bytes), 0, little).op
    expect(op(0x37, 1, 0, 0, 2, 0, 0, 0)).toBe('div64_imm')
    expect(op(0x37, 1, 1, 0, 2, 0, 0, 0)).toBe('sdiv64_imm')
    expect(op(0xbf, 0x21, 8, 0, 0, 0, 0, 0)).toBe('movsx64_8')
    expect(op(0xbf, 0x21, 1, 0, 1, 0, 0, 0)).toBe('addr_space_cast')
    expect(op(0xdb, 0x21, 8, 0, 0xe1, 0, 0, 0)).toBe('atomic_xchg64')
    expect(op(0xdb, 0x21, 8, 0, 0, 1, 0, 0)).toBe('load_acq_dw')
    expect(op(0xdc, 1, 0, 0, 32, 0, 0, 0)).toBe('be32')
    expect(op(0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff)).toBe('call_subprogram')
    expect(op(0x85, 0x20, 1, 0, 7, 0, 0, 0)).toBe('call_kfunc')
    expect(op(0x18, 0x12, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)).toBe('lddw_map_fd')
  })

  it('keeps as raw what the set has not, and what uses a reserved field', () => {
    const op = (...bytes: number[]): string => decodeInsn(word(...bytes), 0, little).op
    expect(op(0xff, 0, 0, 0, 0, 0, 0, 0)).toBe('raw')
    expect(op(0x95, 1, 0, 0, 0, 0, 0, 0)).toBe('raw')
    expect(op(0x95, 0, 0, 0, 1, 0, 0, 0)).toBe('raw')
    expect(op(0x37, 1, 2, 0, 2, 0, 0, 0)).toBe('raw')
    expect(op(0xdc, 1, 0, 0, 8, 0, 0, 0)).toBe('raw')
    expect(op(0x85, 0x30, 0, 0, 8, 0, 0, 0)).toBe('raw')
    const unknownPseudo = decodeInsn(word(0x18, 0x72, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0), 0, little)
    expect([unknownPseudo.op, unknownPseudo.nextImm]).toEqual(['raw', 9])
    const secondSlotUsed = decodeInsn(word(0x18, 2, 0, 0, 7, 0, 0, 0, 0, 1, 0, 0, 9, 0, 0, 0), 0, little)
    expect([secondSlotUsed.op, secondSlotUsed.nextImm]).toEqual(['raw', undefined])
  })

  it('says where the bytes end', () => {
    const bytes = word(0x95, 0, 0, 0, 0, 0, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 0)
    const error = caught(() => [...decodeInsns(bytes, little)])
    expect(isTsbpfError(error, 'ISA_TRUNCATED')).toBe(true)
    expect(error).toMatchObject({
      message: 'insns[1] at byte 8: expected a wide instruction of 16 bytes, got 8 bytes',
      context: { path: 'insns[1]', offset: 8 },
    })
    expect(
      isTsbpfError(
        caught(() => decodeInsn(bytes, 2, little)),
        'ISA_TRUNCATED',
      ),
    ).toBe(true)
    expect(
      isTsbpfError(
        caught(() => decodeInsn(bytes, -1, little)),
        'ISA_NO_SUCH_SLOT',
      ),
    ).toBe(true)
    expect(
      isTsbpfError(
        caught(() => decodeInsn(bytes, 0.5, little)),
        'ISA_NO_SUCH_SLOT',
      ),
    ).toBe(true)
    expect(
      isTsbpfError(
        caught(() => [...decodeInsns(word(1, 2), little)]),
        'ISA_TRUNCATED',
      ),
    ).toBe(true)
    expect([...decodeInsns(word(), little)]).toEqual([])
  })
})

describe('makeInsn and encodeInsn', () => {
  it('puts the registers of big-endian instructions the other way round', () => {
    const insn = makeInsn('ldxw', { dst: 1, src: 2, off: 4 })
    expect(encodeInsn(insn, little)).toEqual(word(0x61, 0x21, 4, 0, 0, 0, 0, 0))
    expect(encodeInsn(insn, { littleEndian: false })).toEqual(word(0x61, 0x12, 0, 4, 0, 0, 0, 0))
  })

  it('takes immediates signed and unsigned', () => {
    expect(makeInsn('mov64_imm', { imm: 0xffff_ffff })).toEqual(makeInsn('mov64_imm', { imm: -1 }))
    expect(imm64Of(makeInsn('lddw', { imm64: -1n }))).toBe(0xffff_ffff_ffff_ffffn)
    expect(imm64Of(makeInsn('lddw', { imm: -1 }))).toBe(0xffff_ffffn)
    expect(imm64Of(makeInsn('mov64_imm', { imm: -1 }))).toBe(0xffff_ffff_ffff_ffffn)
  })

  it('refuses operands that the instruction has not, and numbers that do not fit', () => {
    const code = (run: () => unknown): unknown => (caught(run) as { code?: unknown } | undefined)?.code
    expect(code(() => makeInsn('exit', { dst: 1 }))).toBe('ISA_FIELD_MISMATCH')
    expect(code(() => makeInsn('exit', { imm64: 1n }))).toBe('ISA_FIELD_MISMATCH')
    expect(code(() => makeInsn('sdiv64_imm', { off: 0 }))).toBe('ISA_FIELD_MISMATCH')
    expect(code(() => makeInsn('mov64_imm', { imm: 2 ** 40 }))).toBe('ISA_FIELD_RANGE')
    expect(code(() => encodeInsn({ ...makeInsn('exit'), dst: 1 }, little))).toBe('ISA_FIELD_MISMATCH')
    expect(code(() => encodeInsn({ ...makeInsn('lddw'), nextImm: undefined }, little))).toBe(
      'ISA_FIELD_MISMATCH',
    )
    expect(code(() => encodeInsn({ ...makeInsn('exit'), nextImm: 0 }, little))).toBe('ISA_FIELD_MISMATCH')
    expect(code(() => encodeInsn({ ...makeInsn('lddw'), nextImm: 2 ** 33 }, little))).toBe('ISA_FIELD_RANGE')
    expect(code(() => encodeInsn({ ...makeInsn('ldxw'), off: 40_000 }, little))).toBe('ISA_FIELD_RANGE')
    expect(code(() => encodeInsn({ ...makeInsn('ldxw'), src: 16 }, little))).toBe('ISA_FIELD_RANGE')
  })
})
