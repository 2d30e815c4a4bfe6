import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { parseObject } from '../../src/index.ts'
import { initialOfSpec, linkAsLibbpf, viewOfLibbpf, viewOfSpec } from './libbpf.ts'
import type { LibbpfView } from './libbpf.ts'
import { expectRefusal } from './outcome.ts'
import { refusals } from './refusals.ts'

/** What libbpf says about the corpus, recorded by record.mjs; data and instructions as hashes. */
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'corpus.libbpf.json'), 'utf8')) as Record<
  string,
  LibbpfView
>
const corpus = corpusDir()
const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

const title = corpus === undefined ? `corpus (not run: ${corpusMissing})` : 'corpus'
describe.skipIf(corpus === undefined)(title, () => {
  const rows = new Set<number>()

  it.each(Object.entries(recorded))('%s', (path, view) => {
    const file = join(corpus ?? '', path)
    expect(existsSync(file)).toBe(true)
    // The names of data sections hold the start of the file's name: both twins get that of the one libbpf opened.
    const parse = () => parseObject(readFileSync(file), { name: file.replace('-eb.elf', '-el.elf') })
    const twin = recorded[path.replace('-eb.elf', '-el.elf')] ?? view
    if (view !== twin || view.error !== undefined) {
      // libbpf opens no object of the other byte order: what it says of the little-endian twin holds.
      if (twin.error === undefined) expect(viewOfSpec(parse())).toEqual(viewOfLibbpf(twin))
      else rows.add(expectRefusal(readFileSync(file), file, twin.reason ?? ''))
      return
    }
    const spec = parse()
    expect(viewOfSpec(spec)).toEqual(viewOfLibbpf(view))
    const initial = view.maps.flatMap((map) => (map.initial === undefined ? [] : [map.initial]))
    expect(initialOfSpec(spec).map(hash)).toEqual(initial)
    if (spec.externs.length > 0) return
    for (const { name, insns } of view.linked) {
      const program = spec.programs.find((one) => one.name === name)
      expect(program === undefined ? name : hash(linkAsLibbpf(spec, program))).toBe(insns)
    }
  })

  it('needs every row of the table of refusals, but those of objects of our own', () => {
    const idle = refusals.filter(({ own }, row) => own !== true && !rows.has(row))
    expect(idle).toEqual([])
  })
})
