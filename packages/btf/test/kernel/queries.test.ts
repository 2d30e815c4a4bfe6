import { requires } from '@tsbpf/testkit'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { declTags, enumerator, kfunc, kfuncs, parseBtf } from '../../src/index.ts'

const file = '/sys/kernel/btf/vmlinux'
const gate = requires({ kernel: [5, 4], missing: !existsSync(file), reason: `reads ${file}` })
const bpftool = spawnSync('bpftool', ['version'], { encoding: 'utf8' }).stdout as string | null
const judge = requires({ missing: bpftool === null || gate.skip, reason: 'asks bpftool' })

describe.skipIf(judge.skip)(judge.title("queries of the running kernel's BTF"), () => {
  const btf = judge.skip ? undefined : parseBtf(readFileSync(file), { name: 'vmlinux' })
  const lines = judge.skip
    ? []
    : spawnSync('bpftool', ['btf', 'dump', 'file', file], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      }).stdout.split('\n')

  it('find the kfuncs that bpftool shows tagged, and no others', () => {
    const tagged = lines.flatMap((line) => {
      const [, id] = /DECL_TAG 'bpf_kfunc' type_id=(\d+) component_idx=-1$/.exec(line) ?? []
      return id === undefined ? [] : [Number(id)]
    })
    const ids = kfuncs(btf!).map(({ func }) => Number(func.id))
    expect(ids.toSorted((a, b) => a - b)).toEqual([...new Set(tagged)].toSorted((a, b) => a - b))
    for (const { func, proto, tagged: said } of kfuncs(btf!)) {
      expect([func.kind, proto.id, said]).toEqual(['func', func.type, true])
      expect(declTags(btf!, func.id).map(({ name }) => name)).toContain('bpf_kfunc')
      expect(kfunc(btf!, func.name)?.tagged).toBe(true)
    }
    if (tagged.length > 0) expect(kfunc(btf!, 'tcp_connect')).toBeUndefined()
  })

  it('find enumerators as bpftool prints them', () => {
    let compared = 0
    const seen = new Set<string>()
    for (const line of lines) {
      const [, name, value] = /^\t'(\w+)' val=(-?\d+)$/.exec(line) ?? []
      if (name === undefined || value === undefined || seen.has(name)) continue
      seen.add(name)
      if (seen.size % 50 !== 0) continue
      expect([name, enumerator(btf!, name)?.value]).toEqual([name, BigInt(value)])
      compared++
    }
    expect(compared).toBeGreaterThan(100)
  })
})
