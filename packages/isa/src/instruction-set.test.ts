import { describe, expect, it } from 'vitest'
import type { InsnRow } from './index.ts'
import { instructionSet, instructionsOf, rowOf } from './index.ts'

const fields = ['dst', 'src', 'off', 'imm'] as const
const apart = (a: InsnRow, b: InsnRow): boolean =>
  a.opcode !== b.opcode || fields.some((f) => a[f] !== 'any' && b[f] !== 'any' && a[f] !== b[f])

describe('instruction set', () => {
  it('has no two rows that the same bytes could match', () => {
    for (const [i, a] of instructionSet.entries()) {
      for (const b of instructionSet.slice(i + 1)) expect(apart(a, b), `${a.name} and ${b.name}`).toBe(true)
    }
  })

  it('has each name once, and finds rows by it', () => {
    expect(new Set(instructionSet.map((row) => row.name)).size).toBe(instructionSet.length)
    for (const row of instructionSet) expect(rowOf(row.name)).toBe(row)
    expect(rowOf('raw')).toBeUndefined()
    expect(rowOf('constructor')).toBeUndefined()
  })

  it('cites where each row is from', () => {
    for (const row of instructionSet)
      expect(row.source, row.name).toMatch(/^RFC 9669 section \d|^(kernel|include)\//)
    for (const row of instructionSet) {
      if (row.group === undefined) expect(row.source, row.name).toMatch(/^(kernel|include)\//)
    }
  })

  it('gives every fixed field a value that fits it', () => {
    for (const { name, opcode, dst, src, off, imm } of instructionSet) {
      expect(opcode >= 0 && opcode <= 0xff, name).toBe(true)
      for (const register of [dst, src])
        expect(register === 'any' || (register >= 0 && register < 16)).toBe(true)
      for (const value of [off, imm]) expect(value === 'any' || (value >= 0 && value < 0x8000)).toBe(true)
    }
  })

  it('is as large as the specification says', () => {
    // 13 arithmetic operations, two of them signed as well, and mov: 14 times four forms. Then neg 2, movsx 5, swaps 9.
    expect(instructionsOf('divmul32').length).toBe(10)
    expect(instructionsOf('divmul64').length).toBe(20)
    expect(instructionsOf('packet').length).toBe(6)
    expect(instructionsOf('atomic32').length).toBe(10)
    expect(instructionsOf('atomic64').length).toBe(20)
    expect(instructionSet.filter((row) => row.group === undefined).map((row) => row.name)).toEqual([
      'addr_space_cast',
      'load_acq_b',
      'load_acq_h',
      'load_acq_w',
      'load_acq_dw',
      'store_rel_b',
      'store_rel_h',
      'store_rel_w',
      'store_rel_dw',
      'gotox',
      'may_goto',
      'callx',
    ])
  })

  it('has the opcodes of RFC 9669 where bits are easy to confuse', () => {
    expect(
      (
        [
          'add64_imm',
          'mov64_reg',
          'ldxw',
          'ldxdw',
          'lddw',
          'stxdw',
          'atomic_add64',
          'exit',
          'call',
          'ja',
          'gotol',
        ] as const
      ).map((name) => rowOf(name).opcode),
    ).toEqual([0x07, 0xbf, 0x61, 0x79, 0x18, 0x7b, 0xdb, 0x95, 0x85, 0x05, 0x06])
  })
})
