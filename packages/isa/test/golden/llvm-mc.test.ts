import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Insn, OpName } from '../../src/index.ts'
import { decodeInsn, encodeInsn, formatInsn } from '../../src/index.ts'
import { hasTool, named } from '../objdump.ts'
import { textLosses } from '../text-losses.ts'
import { younger14 } from './llvm-versions.ts'

const { insns: goldens } = JSON.parse(readFileSync(new URL('llvm.json', import.meta.url), 'utf8')) as {
  readonly insns: readonly { readonly order: 'little' | 'big'; readonly bytes: string }[]
}
const insns = goldens
  .filter(({ order }) => order === 'little')
  .map(({ bytes }) => Uint8Array.from(bytes.split(' '), (byte) => Number.parseInt(byte, 16)))
  .map((bytes) => decodeInsn(bytes, 0, { littleEndian: true }))

const young: readonly OpName[] = [
  ...(['b', 'h', 'w', 'dw'] as const).flatMap((size) => [`load_acq_${size}`, `store_rel_${size}`] as const),
  'gotox',
]

/** Rows that an assembler refuses, and why. */
const refused: Readonly<Record<string, (insn: Insn) => boolean>> = {
  // It knows no fetching atomic operations without a cpu that has them, and reads no text of pseudo sources.
  14: ({ op }) =>
    younger14.has(op) ||
    young.includes(op as OpName) ||
    /^(atomic_(fetch|xchg|cmpxchg)|lddw_)/.test(op) ||
    // It is told apart by its size alone.
    /^mod/.test(op),
  // The distance of gotol is read as one of 16 bits.
  19: ({ op, imm }) => young.includes(op as OpName) || (op === 'gotol' && imm !== (imm << 16) >> 16),
  22: ({ op, imm }) => op === 'gotol' && imm !== (imm << 16) >> 16,
}

/** What the assembler says of each text: its bytes, or nothing where it refuses it. */
function assemble(version: string, cpu: string, triple: string, texts: readonly string[]): ReadonlyMap<number, string> {
  const input = texts.map((text, i) => `L${i}:\n${text}\n`).join('')
  const { stdout } = spawnSync(`llvm-mc-${version}`, [`-triple=${triple}`, `-mcpu=${cpu}`, '--show-encoding'], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const found = new Map<number, string>()
  let at = -1
  for (const line of stdout.split('\n')) {
    const label = /^L(\d+):/.exec(line)
    if (label !== null) at = Number(label[1])
    const bytes = /encoding: \[(.*)\]/.exec(line)?.[1]
    if (bytes !== undefined) found.set(at, bytes.replaceAll('0x', '').replaceAll(',', ' '))
  }
  return found
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

describe.each(Object.keys(refused))('llvm-mc-%s', (version) => {
  const tool = `llvm-mc-${version}`
  describe.skipIf(!hasTool(tool)).each(['v1', 'v2', 'v3', 'v4'])(`${named(tool)} -mcpu=%s`, (cpu) => {
    it.each([
      ['bpfel', true, false],
      ['bpfeb', false, false],
      ['bpfel', true, true],
    ] as const)('assembles what is printed to the same bytes: %s, littleEndian %s, alu32 %s', (triple, littleEndian, alu32) => {
      const texts = insns.map((insn) => formatInsn(insn, 'llvm', { alu32 }))
      const found = assemble(version, cpu, triple, texts)
      const seen = insns.flatMap((insn, i) => {
        const bytes = found.get(i)
        const isRefused = refused[version]?.(insn) === true
        if (isRefused !== (bytes === undefined)) return [`${texts[i]}: ${bytes ?? 'refused'}`]
        if (bytes === undefined) return []
        // The upper half of a pseudo source's immediate is not read.
        const expected = insn.op.startsWith('lddw_') ? { ...insn, nextImm: 0 } : insn
        const read = textLosses.llvm[insn.op as OpName]?.readAs(expected) ?? expected
        const wanted = hex(encodeInsn(read, { littleEndian }))
        return bytes === wanted ? [] : [`${texts[i]}: ${bytes} for ${wanted}`]
      })
      expect(seen).toEqual([])
    })
  })
})
