import { describe, expect, it } from 'vitest'
import type { Insn, InsnOperands, OpName } from './index.ts'
import {
  decodeInsn,
  dialects,
  disassemble,
  encodeInsns,
  formatInsn,
  instructionSet,
  labelsOf,
  makeInsn,
  targetOf,
} from './index.ts'

const little = { littleEndian: true }
const llvm = (op: OpName, operands?: InsnOperands): string => formatInsn(makeInsn(op, operands), 'llvm')
const verifier = (op: OpName, operands?: InsnOperands): string =>
  formatInsn(makeInsn(op, operands), 'verifier')

describe('formatInsn', () => {
  it('prints every row in every dialect', () => {
    for (const dialect of dialects) {
      for (const row of instructionSet)
        expect(formatInsn(makeInsn(row.name), dialect), row.name).not.toMatch(/[{}]|unknown>/)
    }
  })

  it('prints what llvm-objdump and the kernel print', () => {
    expect(llvm('ldxdw', { dst: 1, src: 10, off: -8 })).toBe('r1 = *(u64 *)(r10 - 0x8)')
    expect(verifier('ldxdw', { dst: 1, src: 10, off: -8 })).toBe('(79) r1 = *(u64 *)(r10 -8)')
    expect(llvm('lddw', { dst: 2, imm64: -1n })).toBe('r2 = -0x1 ll')
    expect(verifier('lddw', { dst: 2, imm64: -1n })).toBe('(18) r2 = 0xffffffffffffffff')
    expect(llvm('jeq_imm', { dst: 1, imm: -1, off: 5 })).toBe('if r1 == -0x1 goto +0x5')
    expect(verifier('jeq_imm', { dst: 1, imm: -1, off: 5 })).toBe('(15) if r1 == 0xffffffff goto pc+5')
  })

  it('names helpers and kfuncs in the verifier dialect', () => {
    expect(verifier('call', { imm: 1 })).toBe('(85) call bpf_map_lookup_elem#1')
    expect(verifier('call', { imm: 1_000_000 })).toBe('(85) call unknown#1000000')
    expect(formatInsn(makeInsn('call', { imm: 9 }), 'verifier', { helperName: (id) => `own_${id}` })).toBe(
      '(85) call bpf_own_9#9',
    )
    const kfunc = makeInsn('call_kfunc', { imm: 77, off: 1 })
    expect(formatInsn(kfunc, 'verifier')).toBe('(85) call kernel-function#77')
    expect(formatInsn(kfunc, 'verifier', { kfuncName: (id, off) => `k_${id}_${off}` })).toBe(
      '(85) call k_77_1#77',
    )
  })

  it('prints 32-bit registers of loads and stores where asked', () => {
    const load = makeInsn('ldxw', { dst: 1, src: 2 })
    expect(formatInsn(load, 'llvm')).toBe('r1 = *(u32 *)(r2 + 0x0)')
    expect(formatInsn(load, 'llvm', { alu32: true })).toBe('w1 = *(u32 *)(r2 + 0x0)')
  })

  it('prints what is no instruction without a throw', () => {
    const raw = (...bytes: number[]): ReturnType<typeof decodeInsn> =>
      decodeInsn(new Uint8Array(bytes), 0, little)
    expect(formatInsn(raw(0xff, 0, 0, 0, 0, 0, 0, 0), 'llvm')).toBe('<unknown>')
    expect(formatInsn(raw(0x2d, 0xcf, 0, 0, 0, 0, 0, 0), 'llvm')).toBe('<unknown>')
    expect(formatInsn(raw(0x05, 1, 2, 0, 0, 0, 0, 0), 'llvm')).toBe('goto +0x2')
    expect(formatInsn(raw(0x03, 0, 0, 0, 0, 0, 0, 0), 'verifier')).toBe('BUG_03')
    expect(formatInsn(raw(0x01, 0, 0, 0, 0, 0, 0, 0), 'verifier')).toBe('BUG_ldx_01')
  })
})

describe('disassemble', () => {
  const code = encodeInsns(
    [
      makeInsn('lddw', { dst: 1, imm64: 5n }),
      makeInsn('jeq_imm', { dst: 1, off: 1 }),
      makeInsn('call_subprogram', { imm: 3 }),
      makeInsn('ja', { off: -5 }),
    ],
    little,
  )

  it('counts slots, and says where jumps and calls go', () => {
    const lines = [...disassemble(code, little)]
    expect(lines.map(({ index, target, bytes }) => [index, target, bytes.length])).toEqual([
      [0, undefined, 16],
      [2, 4, 8],
      [3, 7, 8],
      [4, 0, 8],
    ])
    expect(lines[0]?.bytes.buffer).toBe(code.buffer)
    expect(targetOf(makeInsn('gotol', { imm: 100_000 }), 1)).toBe(100_002)
    expect(targetOf(makeInsn('call', { imm: 3 }), 1)).toBeUndefined()
  })

  it('names branch targets in the llvm dialect only, and never those of calls', () => {
    const labelOf = labelsOf('.text', [{ name: 'main', offset: 16 }])
    const text = (options: { dialect?: 'verifier'; sectionOffset?: number }): string[] =>
      [...disassemble(code, { ...little, labelOf, ...options })].map((line) => line.text)
    expect(text({ sectionOffset: 16 })).toEqual([
      'r1 = 0x5 ll',
      'if r1 == 0x0 goto +0x1 <main+0x20>',
      'call 0x3',
      'goto -0x5 <main>',
    ])
    expect(text({})[3]).toBe('goto -0x5 <.text>')
    expect(text({ dialect: 'verifier' })[3]).toBe('(05) goto pc-5')
  })
})

describe('labelsOf', () => {
  it('takes the nearest label before the target, the last by name of several', () => {
    const labelOf = labelsOf('xdp', [
      { name: 'b', offset: 0x10 },
      { name: 'LBB0_1', offset: 0x20 },
      { name: 'a', offset: 0x10 },
    ])
    expect([0, 8, 0x10, 0x18, 0x20, 0x28].map(labelOf)).toEqual([
      'xdp',
      'xdp+0x8',
      'b',
      'b+0x8',
      'LBB0_1',
      'LBB0_1+0x8',
    ])
  })

  it('counts without a sign what lies before the section', () => {
    expect(labelsOf('xdp', [{ name: 'f', offset: 0 }])(-8)).toBe('f+0xfffffffffffffff8')
  })
})

describe('operandName', () => {
  const operandName = (_: Insn, index: number | undefined): string => `name${index ?? ''}`

  it.each([
    [makeInsn('call', { imm: 1 }), 'call name', '(85) call name#1', 'call name', 'call helper name'],
    [makeInsn('call_kfunc', { imm: 9 }), 'call name', '(85) call name#9', 'call name', 'call runtime name'],
    [makeInsn('call_subprogram', { imm: 9 }), 'call name', '(85) call name', 'call name', 'call local name'],
    [
      makeInsn('lddw_map_fd', { dst: 1, imm: 5 }),
      'ld_pseudo\tr1, 0x1, name',
      '(18) r1 = name',
      'lddw %r1,name',
      'lddw %r1, map_fd name',
    ],
    [makeInsn('lddw', { dst: 1 }), 'r1 = name ll', '(18) r1 = name', 'lddw %r1,name', 'lddw %r1, name'],
    [makeInsn('ja', { off: 3 }), 'goto name', '(05) goto name', 'ja name', 'ja name'],
    [
      makeInsn('jeq_imm', { dst: 1, off: 3 }),
      'if r1 == 0x0 goto name',
      '(15) if r1 == 0x0 goto name',
      'jeq %r1,0,name',
      'jeq %r1, 0, name',
    ],
  ])('%o', (insn, ...texts) => {
    expect(dialects.map((dialect) => formatInsn(insn, dialect, { operandName }))).toEqual(texts)
    expect(formatInsn(insn, 'llvm', { operandName: () => undefined })).toBe(formatInsn(insn, 'llvm'))
  })

  it('is told the slot where a listing is printed', () => {
    const bytes = encodeInsns([makeInsn('lddw'), makeInsn('ja'), makeInsn('exit')], { littleEndian: true })
    const lines = [...disassemble(bytes, { littleEndian: true, operandName })].map(({ text }) => text)
    expect(lines).toEqual(['r0 = name0 ll', 'goto name2', 'exit'])
  })
})
