import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/codec.ts'
import { parseBtf } from '../../src/parse-btf.ts'
import { memberPath } from '../../src/query/member-path.ts'
import { golden, sectionsOf } from './sections.ts'

/** What record-structs.mjs records: a few hundred structs of a kernel, and values of them as they stand in C. */
interface Recorded {
  readonly kernel: string
  readonly structs: readonly { readonly type: string; readonly value: unknown; readonly paths: readonly string[] }[]
}

const unzipped = (name: string): Uint8Array => gunzipSync(golden(name))

function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written)
  if (typeof value !== 'object' || value === null) return value
  if ('big' in value && Object.keys(value).length === 1) return BigInt(value.big as string)
  if ('hex' in value && Object.keys(value).length === 1) {
    return new Uint8Array(Buffer.from(value.hex as string, 'hex'))
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, written(part)]))
}

const recorded = JSON.parse(new TextDecoder().decode(unzipped('structs.json.gz'))) as Recorded
const kernel = parseBtf(
  gunzipSync(readFileSync(join(import.meta.dirname, '../../../testkit/btf', recorded.kernel))),
)

describe.each(['el', 'eb'])('kernel structs as clang lays them out in %s', (order) => {
  const sections = sectionsOf(unzipped(`structs.clang-19.${order}.o.gz`))
  const own = parseBtf(sections.get('.BTF')!)
  const little = order === 'el'
  /** The object's types, and in its byte order the kernel's. */
  const btfs = little ? [own, kernel] : [own]
  const cases = recorded.structs.flatMap(({ type, value, paths }, i) => {
    const [kind, name] = type.split(' ') as ['struct' | 'union', string]
    return btfs.map((btf) => ({
      ...{ type, btf, paths, value: written(value), id: btf.idsByName(name, kind)[0]! },
      bytes: new Uint8Array(sections.get(`.rodata.value.${i}`)!),
      places: sections.get(`.rodata.places.${i}`)!,
    }))
  })

  it('are some hundreds, with thousands of members', () => {
    expect(recorded.structs.length).toBeGreaterThanOrEqual(400)
    expect(cases.reduce((sum, { paths }) => sum + paths.length, 0)).toBeGreaterThan(5000)
    expect(own.littleEndian).toBe(little)
  })

  it.each(['now', 'never'] as const)('have their values, compiled %s', (compile) => {
    for (const { type, btf, id, value, bytes } of cases) {
      const found = codec(btf, id, { compile })
      expect([type, found.encode(value)]).toEqual([type, bytes])
      const decoded = found.decode(bytes)
      expect([type, decoded]).toMatchObject([type, value as object])
      expect([type, found.encode(decoded)]).toEqual([type, bytes])
    }
  })

  it('have their sizes, alignments and members where C has them', () => {
    for (const { type, btf, id, paths, places } of cases) {
      const view = new DataView(places.buffer, places.byteOffset, places.byteLength)
      const words = Array.from({ length: places.length / 4 }, (_, i) => view.getUint32(i * 4, little))
      const seen = paths.map((path) => {
        const { offsetBits, sizeBits } = memberPath(btf, id, path)
        return [path, offsetBits / 8, sizeBits / 8]
      })
      const said = paths.map((path, i) => [path, words[2 + i * 2], words[3 + i * 2]])
      expect([type, btf.sizeOf(id), btf.alignOf(id), ...seen]).toEqual([type, words[0], words[1], ...said])
    }
  })
})
