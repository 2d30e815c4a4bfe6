import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { formatType, parseBtf, parseBtfExt } from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { sectionsOf } from './sections.ts'

const corpus = corpusDir()
const root = join(corpus ?? '', 'cilium-ebpf')
const files = corpus === undefined ? [] : readdirSync(root, { recursive: true, encoding: 'utf8' })
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(root, name)))

/** Decodes and spells every own type. */
function decodeAll(btf: Btf): number {
  for (let id = btf.firstId; id < btf.endId; id++) {
    btf.type(id)
    btf.resolve(id)
    formatType(btf, id)
  }
  return btf.endId - btf.firstId
}

describe.skipIf(corpus === undefined)(`BTF of cilium/ebpf${corpus === undefined ? ` [not run: ${corpusMissing}]` : ''}`, () => {
  // In the corpus a link of the repository is a file that holds its target's name.
  const objects = files.filter((name) => name.endsWith('.elf') && read(name).length > 64)

  it.each(objects)('%s', (name) => {
    const sections = sectionsOf(read(name))
    const data = sections.get('.BTF')
    // One object is built without.
    expect(data === undefined).toBe(name.includes('nobtf'))
    if (data === undefined) return
    const btf = parseBtf(data, { name })
    expect(btf.littleEndian).toBe(!name.endsWith('-eb.elf'))
    expect(decodeAll(btf)).toBeGreaterThan(2)
    const ext = sections.get('.BTF.ext')
    if (ext !== undefined) for (const name_ of parseBtfExt(ext, btf, { name }).keys()) expect(sections.has(name_)).toBe(true)
  })

  it.each(objects.filter((name) => name.endsWith('-el.elf') && !name.includes('nobtf')))('%s in both byte orders', (name) => {
    const other = name.replace('-el.elf', '-eb.elf')
    if (!objects.includes(other)) return
    const [little, big] = [name, other].map((file) => {
      const sections = sectionsOf(read(file))
      const btf = parseBtf(sections.get('.BTF')!)
      const types = Array.from({ length: btf.endId }, (_, id) => btf.type(id))
      const ext = sections.get('.BTF.ext')
      return { types, ext: ext === undefined ? undefined : [...parseBtfExt(ext, btf)] }
    })
    expect(big).toEqual(little)
  })

  it('a kernel of theirs', () => {
    const btf = parseBtf(gunzipSync(read('btf/testdata/vmlinux.btf.gz')), { name: 'vmlinux' })
    expect(decodeAll(btf)).toBeGreaterThan(100_000)
    expect(btf.find('task_struct', 'struct')?.members.length).toBeGreaterThan(100)
  })

  it('a module split from its own base', () => {
    const base = parseBtf(read('btf/testdata/btf_testmod.btf.base'), { name: 'base' })
    const module = parseBtf(read('btf/testdata/btf_testmod.btf'), { base, name: 'btf_testmod' })
    expect(module.firstId).toBe(base.endId)
    expect(decodeAll(module)).toBeGreaterThan(50)
  })
})
