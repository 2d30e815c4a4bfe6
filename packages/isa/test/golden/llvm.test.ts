import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Insn } from '../../src/index.ts'
import { decodeInsn, encodeInsn, formatInsn, instructionSet } from '../../src/index.ts'
import { disagreements, isKnown } from './disagreements.ts'
import { alu32, decimal, inDecimal, younger14 } from './llvm-versions.ts'

interface Golden {
  readonly head: { readonly reference: string; readonly others: readonly string[] }
  readonly insns: readonly {
    readonly op: string
    readonly order: 'little' | 'big'
    readonly bytes: string
    readonly text: string
    readonly others?: Readonly<Record<string, string>> | undefined
  }[]
}

const { head, insns } = JSON.parse(readFileSync(new URL('llvm.json', import.meta.url), 'utf8')) as Golden

const bytesOf = (hex: string): Uint8Array =>
  new Uint8Array(hex.split(' ').map((byte) => Number.parseInt(byte, 16)))

/** What a tool printed: for a cpu the same as without one, unless another text is recorded. */
const textOf = ({ text, others }: Pick<Golden['insns'][number], 'text' | 'others'>, tool: string): string =>
  others?.[tool] ?? others?.[tool.split(' ', 1)[0] ?? ''] ?? text

describe('llvm dialect', () => {
  it('has a golden for every row in both byte orders', () => {
    for (const order of ['little', 'big']) {
      const ops = new Set(insns.filter((insn) => insn.order === order).map((insn) => insn.op))
      expect(instructionSet.filter((row) => !ops.has(row.name))).toEqual([])
    }
  })

  describe.each([head.reference, ...head.others])('as %s', (tool) => {
    const known = insns.filter(({ op }) => !decimal(tool) || !younger14.has(op))
    it.each([...new Set(known.map(({ op }) => op))])('%s', (name) => {
      for (const { op, order, bytes, text, others } of known.filter((golden) => golden.op === name)) {
        const littleEndian = order === 'little'
        const insn: Insn = decodeInsn(bytesOf(bytes), 0, { littleEndian })
        expect(insn.op).toBe(op)
        expect(encodeInsn(insn, { littleEndian })).toEqual(bytesOf(bytes))
        const theirs = textOf({ text, others }, tool)
        const ours = formatInsn(insn, 'llvm', { alu32: alu32(tool) })
        const printed = decimal(tool) ? inDecimal(ours) : ours
        if (isKnown(insn, tool, theirs)) expect(printed).not.toBe(theirs)
        else expect(printed, bytes).toBe(theirs)
      }
    })
  })

  it('has no disagreement that is not seen', () => {
    for (const { ops, tools, theirs } of disagreements) {
      for (const op of ops) {
        for (const tool of tools) {
          const texts = insns.filter((insn) => insn.op === op).map((insn) => textOf(insn, tool))
          expect(
            texts.some((text) => theirs.test(text)),
            `${op} by ${tool}`,
          ).toBe(true)
        }
      }
    }
  })
})
