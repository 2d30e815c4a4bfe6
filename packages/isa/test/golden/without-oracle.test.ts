import { readFileSync } from 'node:fs'
import { conformanceFiles, corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import type { Dialect, Insn } from '../../src/index.ts'
import { decodeInsn, dialects, formatInsn, instructionSet, parseInsns } from '../../src/index.ts'
import { gnuDisagreements } from './disagreements.ts'

interface Golden {
  readonly op: string
  readonly order: 'little' | 'big'
  readonly bytes: string
  readonly text: string
  readonly others?: Readonly<Record<string, string>>
}

const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))

/** Rows whose text no tool at hand prints, by dialect: what they are spelt after. */
const withoutOracle = json('without-oracle.json') as Readonly<Record<Dialect, Readonly<Record<string, string>>>>
const listed = (dialect: Dialect): readonly string[] => Object.keys(withoutOracle[dialect]).sort()
const names = instructionSet.map(({ name }) => name)

describe('rows without an oracle', () => {
  it('are listed for each dialect', () => expect(Object.keys(withoutOracle).sort()).toEqual([...dialects].sort()))

  it('llvm: those that no llvm-objdump prints as we do', () => {
    const { insns } = json('llvm.json') as { readonly insns: readonly Golden[] }
    const decode = ({ bytes, order }: Golden): Insn =>
      decodeInsn(
        Uint8Array.from(bytes.split(' '), (byte) => Number.parseInt(byte, 16)),
        0,
        { littleEndian: order === 'little' },
      )
    const judged = new Set(
      insns.flatMap((golden) => {
        const ours = [false, true].map((alu32) => formatInsn(decode(golden), 'llvm', { alu32 }))
        const theirs = [golden.text, ...Object.values(golden.others ?? {})]
        return theirs.some((text) => ours.includes(text)) ? [golden.op] : []
      }),
    )
    expect(listed('llvm')).toEqual(names.filter((name) => !judged.has(name)).sort())
  })

  it('verifier: of those that the golden has not, packages/loader/test/kernel/instructions runs all others', () => {
    const { head } = json('verifier.json') as { readonly head: { readonly notPrinted: readonly string[] } }
    expect(listed('verifier').filter((name) => !head.notPrinted.includes(name))).toEqual([])
  })

  it('gnu: those that binutils 2.40 does not know', () => {
    expect(listed('gnu')).toEqual(gnuDisagreements.flatMap(({ ops }) => ops).sort())
  })

  it.skipIf(corpusDir() === undefined)(
    `conformance: those that the corpus does not write${corpusDir() === undefined ? ` (${corpusMissing})` : ''}`,
    () => {
      const written = new Set(
        conformanceFiles().flatMap(({ asm }) => parseInsns(asm, { dialect: 'conformance' }).insns.map(({ op }) => op)),
      )
      expect(listed('conformance')).toEqual(names.filter((name) => !written.has(name)).sort())
    },
  )
})
