import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/codec.ts'
import { parseBtf } from '../../src/parse-btf.ts'
import { members } from '../../src/query/members.ts'
import { declTags, enumerator, funcProto, kfunc, kfuncs, memberPath } from '../../src/query/index.ts'
import { swapBtf } from '../../src/build/swap-btf.ts'

const file = join(import.meta.dirname, '../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
const kernel = parseBtf(gunzipSync(readFileSync(file)))
const swapped = parseBtf(swapBtf(kernel.bytes))

/** Every named struct and union of the kernel up to a page. */
const ids: number[] = []
for (let id = 1; id < kernel.endId; id++) {
  if (kernel.kind(id) !== 'struct' && kernel.kind(id) !== 'union') continue
  if (kernel.nameOf(id) !== '' && kernel.sizeOf(id) <= 4096) ids.push(id)
}

describe('the structs of a kernel', { timeout: 60_000 }, () => {
  const sample = fc.constantFrom(...ids).chain((id) => {
    const size = kernel.sizeOf(id)
    const bytes = fc.oneof(
      { arbitrary: fc.uint8Array({ minLength: size, maxLength: size, size: 'max' }), weight: 4 },
      { arbitrary: fc.nat(255).map((byte) => new Uint8Array(size).fill(byte)), weight: 1 },
    )
    return fc.tuple(fc.constant(id), bytes, fc.constantFrom(kernel, swapped))
  })

  it('come back from any bytes as the same value, compiled or not', () => {
    expect(ids.length).toBeGreaterThan(8000)
    fc.assert(
      fc.property(sample, ([id, bytes, btf]) => {
        const compiled = codec(btf, id, { compile: 'now' })
        const interpreted = codec(btf, id, { compile: 'never' })
        const value = interpreted.decode(bytes)
        expect(compiled.decode(bytes)).toEqual(value)
        const encoded = interpreted.encode(value)
        expect(compiled.encode(value)).toEqual(encoded)
        expect(compiled.decode(encoded)).toEqual(value)
        expect(interpreted.encode(interpreted.decode(encoded))).toEqual(encoded)
      }),
      { numRuns: 600 },
    )
  })

  it('have their members where memberPath finds them', () => {
    for (const id of ids.slice(0, 2000)) {
      const seen = new Set<string>()
      for (const place of members(kernel, id)) {
        expect(place.offsetBits + place.sizeBits).toBeLessThanOrEqual(kernel.sizeOf(id) * 8)
        // A name that stands in several anonymous members of a union, which C allows nowhere, is the first's.
        if (!seen.has(place.name)) expect(memberPath(kernel, id, [place.name])).toEqual(place)
        seen.add(place.name)
      }
    }
  })
})

describe('a kernel without tags', () => {
  it('answers by name', () => {
    expect(kfuncs(kernel)).toEqual([])
    const found = kfunc(kernel, 'bpf_cpumask_create')!
    expect(found).toMatchObject({ tagged: false, func: { name: 'bpf_cpumask_create' } })
    expect(declTags(kernel, found.func.id)).toEqual([])
    expect(kfunc(kernel, 'bpf_cpumask_creat')).toBeUndefined()
  })

  it('has prototypes and enumerators', () => {
    expect(funcProto(kernel, 'tcp_connect')?.params.map(({ name }) => name)).toEqual(['sk'])
    const ops = kernel.find('tcp_congestion_ops', 'struct')!
    expect(funcProto(kernel, memberPath(kernel, ops.id, 'ssthresh').type)?.params).toHaveLength(1)
    expect(enumerator(kernel, 'BPF_MAP_TYPE_RINGBUF')).toMatchObject({ value: 27n, enum: { name: 'bpf_map_type' } })
    expect(enumerator(kernel, 'TCP_ESTABLISHED')).toMatchObject({ value: 1n, enum: { name: '' } })
  })
})
