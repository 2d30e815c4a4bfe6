import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Dialect, Insn } from '../../src/index.ts'
import { decodeInsn, parseInsn } from '../../src/index.ts'
import { textLosses } from '../text-losses.ts'
import { isKnown } from './disagreements.ts'

interface Golden {
  readonly op: string
  readonly order?: 'little' | 'big'
  readonly bytes: string
  readonly text: string
  readonly others?: Readonly<Record<string, string>>
}

const golden = (name: string): readonly Golden[] =>
  (JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as { readonly insns: readonly Golden[] }).insns

function insnOf({ bytes, order }: Golden): Insn {
  const hex = bytes.replaceAll(' ', '')
  const slots = Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
  return decodeInsn(slots, 0, { littleEndian: order !== 'big' })
}

const readAs = (insn: Insn, dialect: Dialect): Insn =>
  insn.op === 'raw' ? insn : (textLosses[dialect][insn.op]?.readAs(insn) ?? insn)

describe('text that others printed reads as the instruction that they printed', () => {
  const llvm = golden('llvm.json').filter(({ op }) => op !== 'raw')
  const reference = 'llvm-objdump-19'
  it.each([...new Set(llvm.map(({ op }) => op))])('llvm: %s', (op) => {
    let read = 0
    for (const row of llvm.filter((other) => other.op === op)) {
      const insn = insnOf(row)
      const texts: readonly (readonly [string, string])[] = [[reference, row.text], ...Object.entries(row.others ?? {})]
      for (const [tool, text] of texts) {
        // Where LLVM knows no such instruction, or another one, it has printed no text of it; 14 guesses too often.
        if (text.includes('<unknown>') || isKnown(insn, tool, text) || tool.startsWith('llvm-objdump-14')) continue
        expect([tool, parseInsn(text, 'llvm')]).toEqual([tool, readAs(insn, 'llvm')])
        read++
      }
    }
    expect(read).toBeGreaterThan(0)
  })

  const log = golden('verifier.json')
  it.each([...new Set(log.map(({ op }) => op))])('verifier: %s', (op) => {
    for (const row of log.filter((other) => other.op === op)) {
      expect(parseInsn(row.text, 'verifier')).toEqual(readAs(insnOf(row), 'verifier'))
    }
  })
})
