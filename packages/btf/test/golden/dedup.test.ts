import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dedupBtf, encodeBtf, mergeBtf, parseBtf, sanitizeBtf } from '../../src/index.ts'
import type { Btf, BtfFeature, BtfTypeInput } from '../../src/index.ts'
import { libbpf, libbpfVersion, noLibbpf, sha256 } from '../libbpf.ts'
import { cGraph } from '../type-graphs.ts'
import { recordedCases } from './dedup-cases.ts'
import { golden, sectionsOf } from './sections.ts'

interface Golden {
  readonly judge: string
  /** By case and file: hash of what libbpf wrote. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const path = join(import.meta.dirname, 'dedup.json')
const recording = process.env['TSBPF_RECORD'] === '1'
const known = recording
  ? { judge: `libbpf ${libbpfVersion()}`, answers: {} }
  : (JSON.parse(readFileSync(path, 'utf8')) as Golden)
const cases = recordedCases()

describe(`byte for byte as ${known.judge}`, () => {
  it.skipIf(recording).each(cases)('$name', ({ name, ours }) => {
    const answers = known.answers[name] ?? {}
    const hashes = Object.fromEntries([...ours].map(([file, bytes]) => [file, sha256(bytes)]))
    expect(hashes).toEqual(answers)
    expect(ours.size).toBeGreaterThan(0)
  })

  it('nothing is recorded that is not asked', () => {
    if (!recording) expect(Object.keys(known.answers)).toEqual(cases.map(({ name }) => name))
  })

  describe.skipIf(noLibbpf !== undefined)(noLibbpf === undefined ? 'live' : `live [not run: ${noLibbpf}]`, () => {
    const answers: Record<string, Record<string, string>> = {}

    it.each(cases)('$name', ({ name, ask, ours }) => {
      const theirs = libbpf(ask, [...ours.keys()])
      expect(theirs.ok, theirs.text).toBe(true)
      for (const [file, bytes] of ours) {
        const their = theirs.files.get(file)!
        answers[name] = { ...answers[name], [file]: sha256(their) }
        // Compared as hashes: a difference of megabytes takes minutes to print.
        expect(sha256(bytes), `${file}: ${bytes.length} and ${their.length} bytes`).toBe(sha256(their))
      }
    }, 30_000)

    it('types at random, together and twice', () => {
      let refused = 0
      const graphs = fc.array(cGraph, { minLength: 1, maxLength: 6 })
      fc.assert(
        fc.property(graphs, fc.boolean(), (graphs_, twice) => {
          const parts = graphs_.map((graph) => {
            // libbpf reads only functions that have prototypes.
            const types = graph.map((type): BtfTypeInput => {
              const { kind } = type
              return kind === 'func' && graph[type.type - 1]?.kind !== 'func_proto'
                ? { kind: 'typedef', name: type.name, type: type.type }
                : type
            })
            return parseBtf(encodeBtf(types, { rules: 'none' }))
          })
          const { btf } = mergeBtf(twice ? [...parts, ...parts] : parts)
          const theirs = libbpf(['dedup', btf.bytes, 'out'], ['out'])
          if (theirs.ok) expect(dedupBtf(btf).btf.bytes).toEqual(theirs.files.get('out'))
          else refused++
        }),
        { numRuns: 120 },
      )
      // Members that are variables and the like stop libbpf where it compares them.
      expect(refused).toBeLessThan(60)
    }, 60_000)

      it('is recorded', () => {
      if (recording) writeFileSync(path, `${JSON.stringify({ ...known, answers }, undefined, 2)}\n`)
      else expect(answers).toEqual(known.answers)
    })
  })
})

const btfOf = (name: string): Btf => parseBtf(sectionsOf(golden(name)).get('.BTF')!, { name })

describe('what becomes of types', () => {
  const merged = mergeBtf(['dedup-a.clang-19.el.o', 'dedup-b.clang-19.el.o'].map(btfOf)).btf
  const { btf } = dedupBtf(merged)

  it('declarations are resolved, in graphs and by name', () => {
    const left = btf.find('left', 'struct')!
    const member = btf.type(left.members[2]!.type)
    expect(member.kind === 'ptr' && btf.type(member.type)).toMatchObject({ kind: 'struct', name: 'right' })
    const lonely = btf.find('lonely_a', 'var')!
    const pointer = btf.type(lonely.type)
    expect(pointer.kind === 'ptr' && btf.kind(pointer.type)).toBe('struct')
    const all = Array.from({ length: btf.endId }, (_, id) => btf.kind(id))
    expect(all.filter((kind) => kind === 'fwd')).toEqual([])
  })

  it('one stays of equal ones, and all of different ones', () => {
    for (const name of ['left', 'right', 'pair', 'twice', 'inner']) expect(btf.idsByName(name, 'struct')).toHaveLength(1)
    expect(btf.idsByName('differs', 'struct')).toHaveLength(2)
    expect(btf.idsByName('.bss', 'datasec')).toHaveLength(2)
  })
})

describe('for older kernels', () => {
  const { judge, loaded } = JSON.parse(new TextDecoder().decode(golden('sanitize.json'))) as {
    readonly judge: string
    readonly loaded: Readonly<Record<string, string>>
  }
  const open = (base64: string): Btf => parseBtf(new Uint8Array(Buffer.from(base64, 'base64')))
  const types = (btf: Btf) => Array.from({ length: btf.endId }, (_, id) => btf.type(id))
  /** libbpf's probe for tags has a variable, so a kernel without those has no tags for libbpf either. */
  const implied: Readonly<Record<string, readonly string[]>> = { datasec: ['decl_tag', 'qmark_datasec'] }
  const plain = open(loaded['']!)

  it.each(Object.keys(loaded))(`without "%s", as ${judge}`, (key) => {
    const missing = new Set(key.split(' ').flatMap((name) => [name, ...(implied[name] ?? [])]))
    const ours = sanitizeBtf(plain, (feature: BtfFeature) => !missing.has(feature))
    expect(types(ours)).toEqual(types(open(loaded[key]!)))
    expect(ours === plain).toBe(key === '')
  })

  it('the object has something for each rule', () => {
    const answers = Object.values(loaded)
    expect(new Set(answers).size).toBe(answers.length)
  })
})
