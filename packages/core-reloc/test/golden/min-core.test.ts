import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Btf } from '@tsbpf/btf'
import { parseBtf } from '@tsbpf/btf'
import type { ObjectSpec } from '@tsbpf/object'
import { parseObject } from '@tsbpf/object'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { minCoreBtf } from '../../src/index.ts'
import { outcomes } from '../outcomes.ts'

interface Golden {
  readonly object: string
  readonly target: string
  /** Size of what bpftool writes. */
  readonly bytes: number
  /** Kind, name and names of the members of each type of it. */
  readonly types: readonly (readonly string[])[]
}

const here = import.meta.dirname
const read = (path: string): Buffer => readFileSync(join(here, path))
const pinned = 'vmlinux-6.12-debian-amd64'
const kernel = parseBtf(gunzipSync(read(`../../../testkit/btf/${pinned}.btf.gz`)))

function target(name: string): Btf {
  if (name === pinned) return kernel
  if (name.startsWith('target')) return parseBtf(read(`bpf/${name}.btf`))
  const { btf } = parseObject(read(`bpf/${name}.bpf.o`))
  if (btf === undefined) throw new TypeError(`${name} has no BTF`)
  return btf
}

/** The types of a BTF as the goldens have them. */
function typesOf(btf: Btf): string[][] {
  return Array.from({ length: btf.endId - 1 }, (_, index) => {
    const type = btf.type(index + 1)
    const name = 'name' in type && type.name !== '' ? type.name : '(anon)'
    const members = type.kind === 'struct' || type.kind === 'union' ? type.members : []
    return [`${type.kind} ${name}`, ...members.map((member) => (member.name === '' ? '(anon)' : member.name))]
  })
}

describe.each(readdirSync(join(here, 'bpftool')))('%s', (file) => {
  const golden = JSON.parse(read(`bpftool/${file}`).toString()) as Golden
  const spec = parseObject(read(`bpf/${golden.object}.bpf.o`))
  const full = target(golden.target)
  const bytes = minCoreBtf([spec], full)
  const min = parseBtf(bytes)

  it('has the types and members of bpftool, in its order, and no more bytes', () => {
    expect(typesOf(min)).toEqual(golden.types)
    expect(bytes.length).toBeLessThanOrEqual(golden.bytes)
  })

  it('relocates the object as the whole BTF does', () => {
    expect(outcomes(spec, min)).toEqual(outcomes(spec, full))
  })
})

const corpus = corpusDir()

describe.skipIf(corpus === undefined)(
  corpus === undefined ? `the corpus [not run: ${corpusMissing}]` : 'the corpus',
  () => {
    it('relocates with a minimal BTF as with the whole one, failures included', () => {
      let objects = 0
      let compared = 0
      for (const folder of ['testdata', 'btf/testdata']) {
        const path = join(corpus ?? '', 'cilium-ebpf', folder)
        for (const name of readdirSync(path).filter((file) => file.endsWith('.elf'))) {
          let spec: ObjectSpec
          try {
            spec = parseObject(readFileSync(join(path, name)))
          } catch {
            // Some are meant to be refused.
            continue
          }
          if (spec.btf === undefined) continue
          for (const full of [kernel, spec.btf]) {
            const min = parseBtf(minCoreBtf([spec], full, { onFailure: 'collect' }))
            const expected = outcomes(spec, full)
            expect(outcomes(spec, min), name).toEqual(expected)
            expect(min.endId).toBeLessThanOrEqual(full.endId)
            compared += expected.length
          }
          objects++
        }
      }
      expect(objects).toBeGreaterThan(30)
      expect(compared).toBeGreaterThan(200)
    }, 60_000)
  },
)
