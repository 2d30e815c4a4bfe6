import { requires } from '@tsbpf/testkit'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { codec, essentialName, formatType, parseBtf } from '../../src/index.ts'
import { bpftoolView } from '../bpftool-view.ts'

const file = '/sys/kernel/btf/vmlinux'
const gate = requires({ kernel: [5, 4], missing: !existsSync(file), reason: `reads ${file}` })
const bpftool = spawnSync('bpftool', ['version'], { encoding: 'utf8' }).stdout as string | null
const judge = requires({ missing: bpftool === null || gate.skip, reason: 'asks bpftool' })

describe.skipIf(gate.skip)(gate.title("the running kernel's BTF"), () => {
  const btf = gate.skip ? undefined : parseBtf(readFileSync(file), { name: 'vmlinux' })

  it('is decoded and spelt whole', () => {
    for (let id = 0; id < btf!.endId; id++) {
      const type = btf!.type(id)
      expect(type.kind).toBe(btf!.kind(id))
      if (formatType(btf!, id) === '') expect(type.kind).toBe('nothing')
    }
    expect(btf!.endId).toBeGreaterThan(10_000)
  })

  it('has values for every complete type, zero encoded as zeroes', () => {
    let count = 0
    for (let id = 1; id < btf!.endId; id++) {
      const { kind } = btf!.type(id)
      if (kind !== 'struct' && kind !== 'union' && kind !== 'enum' && kind !== 'int') continue
      const found = codec(btf!, id)
      if (found.size > 4096) continue
      const bytes = new Uint8Array(found.size)
      expect(found.encode(found.decode(bytes))).toEqual(bytes)
      count++
    }
    expect(count).toBeGreaterThan(1000)
  })

  it('has each name where a search of all names finds it', () => {
    const byName = new Map<string, number[]>()
    const byEssence = new Map<string, number[]>()
    const add = (map: Map<string, number[]>, key: string, id: number) => {
      const list = map.get(key)
      if (list === undefined) map.set(key, [id])
      else list.push(id)
    }
    for (let id = 1; id < btf!.endId; id++) {
      const name = btf!.nameOf(id)
      if (name === '') continue
      add(byName, name, id)
      add(byEssence, essentialName(name), id)
    }
    const fresh = parseBtf(btf!.bytes)
    // Every fiftieth name; the first lookups scan, later ones use buckets.
    let i = 0
    for (const [name, ids] of byName)
      if (i++ % 50 === 0) expect([name, fresh.idsByName(name)]).toEqual([name, ids])
    for (const [name, ids] of byEssence)
      if (i++ % 50 === 0) expect([name, fresh.candidates(name)]).toEqual([name, ids])
  })

  it.skipIf(judge.skip)(judge.title('is what bpftool dumps'), () => {
    const { stdout } = spawnSync('bpftool', ['-j', 'btf', 'dump', 'file', file, 'format', 'raw'], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    const { types } = JSON.parse(stdout.replaceAll(/(?<=:)-?\d{16,}/g, '"$&"')) as {
      readonly types: readonly { readonly id: number }[]
    }
    const kinds = (list: readonly unknown[]) => {
      const counts: Record<string, number> = {}
      for (const { kind } of list as { kind: string }[]) counts[kind] = (counts[kind] ?? 0) + 1
      return counts
    }
    const views = types.map((type) => bpftoolView(btf!, type.id))
    expect(kinds(views)).toEqual(kinds(types))
    for (const [i, type] of types.entries()) {
      if (JSON.stringify(views[i]) !== JSON.stringify(type)) expect(views[i]).toEqual(type)
    }
  })
})
