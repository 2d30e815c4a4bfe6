import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dedupBtf, parseBtf } from '../../src/index.ts'
import { mergeCases } from './dedup-cases.ts'
import { recordedJudge } from './recorded-judge.ts'
import { readBtf } from './verify-c.mjs'

const { judge, judgedBy } = recordedJudge('dedup-kernels.json')
const folder = process.env['TSBPF_BTF'] ?? ''
const notRun = folder === '' ? ' [not run: TSBPF_BTF is not set: a folder of vmlinux BTF, *.btf.gz]' : ''
const names = folder === '' ? [] : readdirSync(folder).filter((name) => name.endsWith('.btf.gz')).sort()

describe.skipIf(notRun !== '')(`kernels, byte for byte as ${judgedBy}${notRun}`, { timeout: 240_000 }, () => {
  const kernels = names.map((name) => parseBtf(readBtf(join(folder, name)), { name }))

  it.each(names)('%s is deduplicated already', (name) => {
    const btf = kernels[names.indexOf(name)]!
    const done = dedupBtf(btf).btf
    expect(done.endId).toBe(btf.endId)
    judge({ name, ask: ['dedup', btf.bytes, 'out'], ours: new Map([['out', done.bytes]]) })
  })

  // Each kernel in one pair: two releases, and two machines.
  it.each(names.flatMap((name, i) => (i % 2 === 0 && i + 1 < names.length ? [[name, names[i + 1]!] as const] : [])))(
    '%s and %s',
    (one, other) => {
      const pair = [one, other].map((name) => kernels[names.indexOf(name)]!)
      for (const question of mergeCases(`${one} and ${other}`, pair)) judge(question)
    },
  )
})
