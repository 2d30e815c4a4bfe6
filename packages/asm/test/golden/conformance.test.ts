import { encodeInsns, dialects, parseInsns } from '@tsbpf/isa'
import { conformanceFiles, corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { assemble, assembleInsns, formatAssembly } from '../../src/index.ts'

const files = conformanceFiles()
const title = corpusDir() === undefined ? `conformance (${corpusMissing})` : 'conformance'

describe.skipIf(corpusDir() === undefined)(title, () => {
  it('has files', () => expect(files.length).toBeGreaterThan(200))

  it('assembles to the bytes of its instructions, labels filled in', () => {
    for (const { name, asm } of files) {
      const { insns } = parseInsns(asm, { dialect: 'conformance' })
      const bytes = assembleInsns(asm, { dialect: 'conformance', name })
      expect(bytes, name).toEqual(encodeInsns(insns, { littleEndian: true }))
    }
  })

  it.each(dialects)('goes through the dialect %s as a program of an object', (dialect) => {
    for (const { name, asm } of files) {
      const program = `.section socket\n.globl test\ntest:\n${asm}`
      const spec = assemble(program, { dialect: 'conformance', name })
      expect(spec.programs[0]?.insns).toEqual(assembleInsns(asm, { dialect: 'conformance' }))
      const text = [...formatAssembly(spec, { dialect })].join('\n')
      expect(assemble(text, { dialect, name }).programs[0]?.insns, name).toEqual(spec.programs[0]?.insns)
    }
  })
})
