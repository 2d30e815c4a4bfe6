import { instructionSet } from '@tsbpf/isa'
import { describe, expect, it } from 'vitest'
import { cpuLevelOf } from './cpu-level.ts'
import type { CpuLevel } from './cpu-level.ts'

const names = (level: CpuLevel): string[] =>
  instructionSet.map(({ name }) => name).filter((name) => cpuLevelOf(name) === level)

/** As the options of GCC for BPF name what each level adds: jmpext, then jmp32, alu32 and v3-atomics, then sdiv, smov and bswap. */
describe('cpu levels', () => {
  it('v2 adds less-than jumps of 64 bits', () => {
    expect(names('v2')).toEqual(
      ['jlt', 'jle', 'jslt', 'jsle'].flatMap((name) => [`${name}_imm`, `${name}_reg`]),
    )
  })

  it('v3 adds 32-bit jumps and arithmetic, and atomic operations beyond addition', () => {
    const all = names('v3')
    const arithmetic = 'add sub mul div or and lsh rsh mod xor mov arsh'.split(' ')
    const jumps = 'jeq jgt jge jset jne jsgt jsge jlt jle jslt jsle'.split(' ')
    const both = [...arithmetic, ...jumps].flatMap((name) => [`${name}32_imm`, `${name}32_reg`])
    const atomic = 'or and xor'.split(' ').flatMap((name) => [`atomic_${name}`, `atomic_fetch_${name}`])
    const widths = [...atomic, 'atomic_fetch_add', 'atomic_xchg', 'atomic_cmpxchg'].flatMap((name) => [
      `${name}32`,
      `${name}64`,
    ])
    expect(all.sort()).toEqual([...both, 'neg32', ...widths].sort())
  })

  it('v4 adds signed division, sign extension, byte swaps, long jumps and what is newer', () => {
    const stems = [
      'addr_space_cast',
      'bswap',
      'callx',
      'gotol',
      'gotox',
      'ldxs',
      'load_acq_',
      'may_goto',
      'movsx',
      'sdiv',
      'smod',
      'store_rel_',
    ]
    const all = names('v4')
    expect([...new Set(all.map((name) => stems.find((stem) => name.startsWith(stem))))].sort()).toEqual(stems)
    expect(all.length).toBe(8 + 5 + 3 + 3 + 4 + 4 + 5)
  })

  it('v1 has the rest', () => {
    expect(names('v1')).toContain('atomic_add32')
    expect(names('v1')).toContain('be32')
    expect(names('v1').length).toBe(
      instructionSet.length - names('v2').length - names('v3').length - names('v4').length,
    )
  })
})
