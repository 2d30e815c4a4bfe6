import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { decodeInsns, disassemble, encodeInsns, labelsOf, swapInsns } from '../../src/index.ts'
import { codeSections, hasTool, named, objdump, parseObjdump, read } from '../objdump.ts'

const corpus = corpusDir()
const tool = 'llvm-objdump-19'

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

  describe.each(objects)('$name', ({ path, sections }) => {
    it('decodes and encodes back to the same bytes', () => {
      for (const { bytes, littleEndian } of sections) {
        const insns = [...decodeInsns(bytes, { littleEndian })].map((at) => at.insn)
        expect(insns.filter((insn) => insn.op === 'raw')).toEqual([])
        expect(encodeInsns(insns, { littleEndian })).toEqual(new Uint8Array(bytes))
        expect(encodeInsns(insns, { littleEndian: !littleEndian })).toEqual(swapInsns(bytes))
      }
    })

    it.skipIf(!hasTool(tool))(`prints as ${named(tool)} does`, () => {
      const theirs = parseObjdump(objdump(tool, ['-d'], path))
      const ours = sections.map(({ name, bytes, littleEndian, labels }) => ({
        section: name,
        lines: [...disassemble(bytes, { littleEndian, labelOf: labelsOf(name, labels) })].map((line) => ({
          index: line.index,
          bytes: [...line.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
          text: line.text,
        })),
      }))
      expect(ours).toEqual(theirs)
    })
  })
})
