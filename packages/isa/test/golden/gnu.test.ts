import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Insn } from '../../src/index.ts'
import { decodeInsn, encodeInsns, formatInsn, instructionSet, parseInsn } from '../../src/index.ts'
import { codeSections, hasTool, named, read } from '../objdump.ts'
import { textLosses } from '../text-losses.ts'
import { gnuDisagreements } from './disagreements.ts'

interface Golden {
  readonly head: { readonly version: string }
  readonly insns: readonly {
    readonly op: string
    readonly order: 'little' | 'big'
    readonly bytes: string
    readonly text: string
  }[]
}

const { head, insns } = JSON.parse(readFileSync(new URL('gnu.json', import.meta.url), 'utf8')) as Golden

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16))
const decode = ({ bytes, order }: Golden['insns'][number]): Insn =>
  decodeInsn(bytesOf(bytes), 0, { littleEndian: order === 'little' })

const unjudged = new Set(gnuDisagreements.flatMap(({ ops }) => ops as readonly string[]))

/** The tool has no name for a register above 10: it prints `???`, and its assembler takes none. */
const nameable = (insn: Insn): boolean => insn.dst <= 10 && insn.src <= 10

describe(`gnu dialect, as ${head.version} prints it`, () => {
  it.each(instructionSet.map(({ name }) => name))('%s', (name) => {
    const theirs = insns.filter(({ op }) => op === name)
    expect(new Set(theirs.map(({ order }) => order))).toEqual(new Set(['little', 'big']))
    for (const golden of theirs) {
      const insn = decode(golden)
      expect(insn.op).toBe(name)
      const ours = formatInsn(insn, 'gnu')
      if (unjudged.has(name)) expect(ours).not.toBe(golden.text)
      else if (nameable(insn)) {
        expect(ours).toBe(golden.text)
        expect(parseInsn(golden.text, 'gnu')).toEqual(textLosses.gnu[insn.op as 'exit']?.readAs(insn) ?? insn)
      } else expect(ours.replaceAll('%r11', '???')).toBe(golden.text)
    }
  })

  it('has no disagreement that is not seen', () => {
    for (const { ops, theirs } of gnuDisagreements) {
      for (const op of ops) {
        const texts = insns.filter((insn) => insn.op === op).map(({ text }) => text)
        expect(texts.filter((text) => !theirs.test(text)), op).toEqual([])
      }
    }
  })
})

const assembler = 'bpf-as'

describe.skipIf(!hasTool(assembler)).each([
  ['-EL', true],
  ['-EB', false],
] as const)(`${named(assembler)} %s`, (flag, littleEndian) => {
  it('assembles what is printed to the same bytes', () => {
    const list = insns
      .filter(({ op, order }) => !unjudged.has(op) && (order === 'little') === littleEndian)
      .map(decode)
      .filter((insn) => nameable(insn) && textLosses.gnu[insn.op as 'exit'] === undefined)
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-isa-'))
    try {
      const source = join(folder, 'code.s')
      const file = join(folder, 'code.o')
      writeFileSync(source, list.map((insn) => `\t${formatInsn(insn, 'gnu')}\n`).join(''))
      execFileSync(assembler, [flag, '-o', file, source])
      const [text] = codeSections(read(file)) ?? []
      expect(list.length).toBeGreaterThan(300)
      expect(text?.bytes).toEqual(encodeInsns(list, { littleEndian }))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
