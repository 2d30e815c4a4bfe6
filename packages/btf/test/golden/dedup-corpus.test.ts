import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dedupBtf, distillBase, parseBtf, relocateBtf } from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { kernel, mergeCases, objectCases, splitCases } from './dedup-cases.ts'
import { recordedJudge } from './recorded-judge.ts'
import { sectionsOf } from './sections.ts'

const corpus = corpusDir()
const title = (name: string, reason: string | undefined) =>
  reason === undefined ? name : `${name} [not run: ${reason}]`

const { judge, judgedBy } = recordedJudge('dedup-corpus.json')

const notRun = corpus === undefined ? corpusMissing : undefined
describe.skipIf(notRun !== undefined)(title(`the corpus, byte for byte as ${judgedBy}`, notRun), () => {
  const root = join(corpus ?? '', 'cilium-ebpf')
  const all = corpus === undefined ? [] : readdirSync(root, { recursive: true, encoding: 'utf8' })
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(root, name)))
  const names = all.filter((name) => name.endsWith('.elf') && read(name).length > 64)
  const objects = names.filter((name) => sectionsOf(read(name)).has('.BTF'))
  const btfOf = (name: string): Btf => parseBtf(sectionsOf(read(name)).get('.BTF')!, { name })
  const base = notRun === undefined ? kernel() : undefined

  it.each(objects)('%s', (name) => {
    for (const question of objectCases(name, read(name))) judge(question)
    // On a base, an object is written in the byte order of that: those of the other are the same once more.
    const btf = btfOf(name)
    if (btf.littleEndian) for (const question of splitCases(name, base!, btf, [base!])) judge(question)
  }, 60_000)

  it('all of them together', () => {
    const little = objects.filter((name) => !name.endsWith('-eb.elf')).map(btfOf)
    expect(little.length).toBeGreaterThan(20)
    for (const question of mergeCases('all', little)) judge(question)
  }, 60_000)

  it('a module with its base', () => {
    const full = parseBtf(read('btf/testdata/btf_testmod.btf.base'), { name: 'base' })
    const module = parseBtf(read('btf/testdata/btf_testmod.btf'), { base: full, name: 'btf_testmod' })
    judge({
      name: 'the module deduplicated',
      ask: ['dedup', '--base', full.bytes, module.bytes, 'out'],
      ours: new Map([['out', dedupBtf(module).btf.bytes]]),
    })
    const distilled = distillBase(module)
    judge({
      name: 'the module distilled',
      ask: ['distill', full.bytes, module.bytes, 'base', 'out'],
      ours: new Map([
        ['base', distilled.base.bytes],
        ['out', distilled.btf.bytes],
      ]),
    })
    judge({
      name: 'the module relocated',
      ask: ['relocate', distilled.base.bytes, distilled.btf.bytes, full.bytes, 'out'],
      ours: new Map([['out', relocateBtf(distilled.btf, full).btf.bytes]]),
    })
  }, 60_000)
})
