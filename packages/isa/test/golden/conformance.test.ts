import { conformanceFiles, corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { decodeInsns, dialects, encodeInsns, formatInsn, parseInsns } from '../../src/index.ts'
import { textLosses } from '../text-losses.ts'

const files = conformanceFiles()
const littleEndian = true

describe.skipIf(corpusDir() === undefined)(
  corpusDir() === undefined ? `conformance (${corpusMissing})` : 'conformance',
  () => {
    it('has files', () => expect(files.length).toBeGreaterThan(200))

    it.each(files.filter((file) => file.raw !== undefined))('$name: the bytes of -- raw', ({ asm, raw }) => {
      const bytes = encodeInsns(parseInsns(asm, { dialect: 'conformance' }).insns, { littleEndian })
      const view = new DataView(bytes.buffer)
      expect(Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, littleEndian))).toEqual(raw)
    })

    describe.each(files)('$name', ({ asm }) => {
      const { insns } = parseInsns(asm, { dialect: 'conformance' })
      const bytes = encodeInsns(insns, { littleEndian })

      it('assembles, and decodes to what was read', () => {
        expect(insns.length).toBeGreaterThan(0)
        expect([...decodeInsns(bytes, { littleEndian })].map((at) => at.insn)).toEqual(insns)
      })

      it.each(dialects)('is read back from %s', (dialect) => {
        const text = insns.map((insn) => formatInsn(insn, dialect)).join('\n')
        const expected = insns.map((insn) =>
          insn.op === 'raw' ? insn : (textLosses[dialect][insn.op]?.readAs(insn) ?? insn),
        )
        expect(parseInsns(text, { dialect }).insns).toEqual(expected)
      })
    })
  },
)
