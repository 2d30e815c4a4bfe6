import { decodeInsns, instructionSet, makeInsn } from '@tsbpf/isa'
import type { Insn, InsnRow, OpName } from '@tsbpf/isa'
import { describe, expect, it } from 'vitest'
import { buildInsns } from './build-insns.ts'
import { subprogram } from './definitions.ts'
import type { InsnBuilder } from './insn-builder.ts'
import { formOf } from './mnemonic.ts'
import { mnemonics } from './operation.ts'
import type { Role } from './operation.ts'
import { r0, r1, r2, w1, w2 } from './register.ts'

/** Rows whose distance the builder counts itself. */
const byTarget: readonly OpName[] = ['call_subprogram', 'lddw_func']

const decoded = (bytes: Uint8Array): readonly Insn[] =>
  [...decodeInsns(bytes, { littleEndian: true })].map(({ insn }) => insn)

/** The first instruction of a call by mnemonic; what jumps goes over one other. */
function call(mnemonic: string, operands: readonly unknown[]): Insn {
  const [first] = decoded(
    buildInsns((b) => {
      const method = b[mnemonic as 'add'] as (...all: readonly unknown[]) => unknown
      method(...operands)
      return b.mov(r0, 0).label('there').exit()
    }),
  )
  return first!
}

const operandOf = (role: Role, bits: 32 | 64): unknown =>
  ({
    dst: bits === 64 ? r1 : w1,
    src: bits === 64 ? r2 : w2,
    load: r2.at(8),
    store: r1.at(8),
    imm: 5,
    nextImm: 6,
    module: 3,
    label: 'there',
  })[role]

describe('methods of the builder', () => {
  it.each(instructionSet.filter(({ name }) => !byTarget.includes(name)))(
    'make $name',
    (row: InsnRow<OpName>) => {
      const { mnemonic, bits = 64, source = '' } = formOf(row.name)
      const operation = mnemonics().get(mnemonic)?.get(`${bits}${source}`)
      expect(operation?.row).toBe(row)
      const operands =
        mnemonic === 'lddw' ? [r1, 0x6_0000_0005n] : operation!.roles.map((role) => operandOf(role, bits))
      const use = (field: 'dst' | 'src' | 'off' | 'imm', value: number) =>
        row[field] === 'any' ? { [field]: value } : {}
      const expected = makeInsn(row.name, {
        ...use('dst', 1),
        ...use('src', 2),
        ...use('off', row.target === 'off' ? 1 : row.name === 'call_kfunc' ? 3 : 8),
        ...(row.wide ? { imm64: 0x6_0000_0005n } : use('imm', row.target === 'imm' ? 1 : 5)),
      })
      expect(call(mnemonic, operands)).toEqual(expected)
    },
  )

  it('make calls and addresses of subprograms, by distance', () => {
    const sub = subprogram('sub', (b) => b.mov(r0, 1).exit())
    const insns = decoded(buildInsns((b) => b.lddw(r1, sub).call(sub).exit()))
    expect(insns.slice(0, 2)).toEqual([
      makeInsn('lddw_func', { dst: 1, imm: 3 }),
      makeInsn('call_subprogram', { imm: 1 }),
    ])
  })

  it('may be taken off the builder, and chained', () => {
    const chained = buildInsns((b) => b.mov(r0, 0).exit())
    const apart = buildInsns(({ mov, exit }) => {
      mov(r0, 0)
      exit()
    })
    expect(apart).toEqual(chained)
  })

  it('take an instruction as it is', () => {
    expect(decoded(buildInsns((b) => b.insn(makeInsn('div64_imm', { dst: 1 })).exit()))[0]).toEqual(
      makeInsn('div64_imm', { dst: 1 }),
    )
  })

  it('write either byte order', () => {
    const body = (b: InsnBuilder) => b.stw(r1.at(0x102), 0x0304_0506).exit()
    const hex = (littleEndian: boolean) => Buffer.from(buildInsns(body, { littleEndian })).toString('hex')
    expect(hex(true)).toBe('6201020106050403' + '9500000000000000')
    expect(hex(false)).toBe('6210010203040506' + '9500000000000000')
  })

  it('takes numbers that mean the same in the field', () => {
    const first = (body: Parameters<typeof buildInsns>[0]) => decoded(buildInsns(body))[0]
    expect(first((b) => b.mov(w1, 0xffff_ffff).exit())?.imm).toBe(-1)
    expect(first((b) => b.mov(r1, -1n).exit())?.imm).toBe(-1)
    expect(first((b) => b.stb(r1.at(0), 255).exit())?.imm).toBe(255)
    expect(first((b) => b.lddw(r1, -1).exit())?.nextImm).toBe(-1)
    expect(first((b) => b.lddw(r1, 0xffff_ffff_ffff_ffffn).exit())?.imm).toBe(-1)
  })
})
