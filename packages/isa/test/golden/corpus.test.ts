import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { decodeInsns, disassemble, encodeInsns, labelsOf, swapInsns } from '../../src/index.ts'
import { isKnown } from './disagreements.ts'
import { alu32, decimal, inDecimal, younger14 } from './llvm-versions.ts'
import { codeSections, hasTool, named, objdump, parseObjdump, read } from '../objdump.ts'

const corpus = corpusDir()
const commands = ['llvm-objdump-14', 'llvm-objdump-19', 'llvm-objdump-22'].flatMap((tool) => [
  tool,
  ...(tool.endsWith('14') ? ['v1', 'v2', 'v3'] : ['v1', 'v2', 'v3', 'v4']).map((cpu) => `${tool} --mcpu=${cpu}`),
])

const objects =
  corpus === undefined
    ? []
    : readdirSync(join(corpus, 'cilium-ebpf'), { recursive: true, encoding: 'utf8' })
        .sort()
        .map((name) => ({ name, path: join(corpus, 'cilium-ebpf', name) }))
        .filter(({ name }) => /\.(elf|o)$/.test(name))
        .flatMap(({ name, path }) => {
          // Two names of the corpus are links that were stored as text.
          const sections = codeSections(read(path))
          return sections === undefined ? [] : [{ name, path, sections }]
        })

describe.skipIf(corpus === undefined)(corpus === undefined ? `corpus (${corpusMissing})` : 'corpus', () => {
  it('has objects', () => expect(objects.length).toBeGreaterThan(60))

  describe.each(objects)('$name', ({ sections }) => {
    it('decodes and encodes back to the same bytes', () => {
      for (const { bytes, littleEndian } of sections) {
        const insns = [...decodeInsns(bytes, { littleEndian })].map((at) => at.insn)
        expect(insns.filter((insn) => insn.op === 'raw')).toEqual([])
        expect(encodeInsns(insns, { littleEndian })).toEqual(new Uint8Array(bytes))
        expect(encodeInsns(insns, { littleEndian: !littleEndian })).toEqual(swapInsns(bytes))
      }
    })
  })

  describe.each(commands)('as %s', (command) => {
    const [tool = '', ...args] = command.split(' ')
    it.skipIf(!hasTool(tool))(`prints what ${named(tool)} prints`, () => {
      // Of objects of both byte orders, the tools would read all as the first.
      const theirs = new Map(
        [true, false]
          .map((order) => objects.filter(({ sections }) => sections[0]?.littleEndian === order))
          .flatMap((some) => objdump(tool, ['-d', ...args, ...some.map(({ path }) => path)]).split(/^(?=\S+:\tfile format )/m))
          .map((text) => [text.slice(0, text.indexOf(':\tfile format ')).trim(), text] as const),
      )
      for (const { name, path, sections } of objects) {
        const listings = parseObjdump(theirs.get(path) ?? '')
        expect(listings.map(({ section }) => section)).toEqual(sections.map((section) => section.name))
        for (const [j, { name: section, bytes, littleEndian, labels }] of sections.entries()) {
          const lines = new Map(listings[j]?.lines.map((line) => [line.index, line]))
          const options = { littleEndian, labelOf: labelsOf(section, labels), alu32: alu32(command) }
          for (const { index, bytes: slots, insn, text } of disassemble(bytes, options)) {
            const line = lines.get(index)
            const printed = decimal(command) ? inDecimal(text) : text
            const hex = [...slots].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
            // LLVM 14 knows half of what is younger, and prints slots and other instructions for it.
            if (decimal(command) && younger14.has(insn.op)) continue
            if (line !== undefined && isKnown(insn, command, line.text)) continue
            if (line?.bytes !== hex || line.text !== printed)
              expect({ index, hex, printed }, `${name} ${section}`).toEqual(line)
          }
        }
      }
    })
  })
})
