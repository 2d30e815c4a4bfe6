import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as library from '../../src/index.ts'
import { kernelFiles } from './kernels.ts'
import { clangs, readBtf, verifyC } from './verify-c.mjs'
import type { VerifyRow } from './verify-c.mjs'

const { encodeBtf, joinChunks, parseBtf, printC } = library
const here = join(import.meta.dirname, 'print')
const { compilers: objects } = (await import('./print/outputs.json', { with: { type: 'json' } })).default

/** What `verify-c.mjs --record` proved of whole kernels, by the hash of their BTF. */
interface Proven {
  readonly name: string
  /** Hash of the C and the assertions that compilers judged. */
  readonly program: string
  readonly compilers: Readonly<Record<string, Pick<VerifyRow, 'types' | 'compared' | 'asserts' | 'dropped'>>>
}
const verified = JSON.parse(readFileSync(join(here, 'verified.json'), 'utf8')) as {
  readonly judges: Readonly<Record<string, string>>
  readonly kernels: Readonly<Record<string, Proven>>
}

const names = ['clang-14', 'clang-19', 'clang-22']
const found = clangs()
const missing = names.filter((name) => !found.includes(name))
if (process.env['CI'] === 'true' && missing.length > 0) throw new Error(`CI must have ${missing.join(', ')}`)
const whyNot = missing.length === 0 ? '' : ` [not run: ${missing.join(', ')} not on PATH]`

const sound = { errors: [], different: [], dropped: [] }

describe('the C of whole kernels', () => {
  const { files, whyNot: others } = kernelFiles()

  it(`was judged by ${names.join(', ')}, every struct, union and enum of it`, () => {
    expect(Object.keys(verified.judges)).toEqual(names)
    expect(Object.values(verified.kernels).map(({ name }) => name)).toEqual([
      'vmlinux-6.1-debian-amd64',
      'vmlinux-6.12-debian-amd64',
      'vmlinux-6.12-debian-arm64',
      'vmlinux-6.18-host-amd64',
    ])
    for (const { compilers } of Object.values(verified.kernels)) {
      expect(Object.keys(compilers)).toEqual(names)
      for (const { types, compared, asserts, dropped } of Object.values(compilers)) {
        expect(types).toBeGreaterThan(7000)
        expect(asserts).toBeGreaterThan(types)
        expect(compared + dropped.length).toBe(types)
      }
    }
  })

  it.concurrent.each(files.map((file, i) => [file, i] as const))(
    `%s is what was judged, and compiles here and now with all sizes and a sample of layouts${others}${whyNot}`,
    { timeout: 240_000 },
    async (file, i) => {
      const bytes = readBtf(file)
      const proven = verified.kernels[createHash('sha256').update(bytes).digest('hex')]
      // The pinned kernel with each clang, the others with one each; one that is not recorded is judged whole.
      const judges = i === 0 || proven === undefined ? found : found.slice(i % names.length).slice(0, 1)
      for (const row of await verifyC(library, bytes, judges, proven === undefined ? {} : { sample: 60 })) {
        expect(row).toMatchObject(sound)
        expect(row.compared).toBeGreaterThan(40)
        // Where the C has changed, have it judged and recorded again.
        if (proven !== undefined) expect(row.program).toBe(proven.program)
        expect(row.asserts).toBeGreaterThan(row.types)
      }
    },
  )
})

describe.skipIf(found.length === 0)(`the C of objects${whyNot}`, () => {
  it.concurrent.each(Object.keys(objects))('%s, as each clang lays it out', async (name) => {
    for (const row of await verifyC(library, readBtf(join(here, name)), found)) {
      expect(row).toMatchObject(sound)
      expect(row.compared).toBe(row.types)
      expect(row.types).toBeGreaterThan(20)
    }
  }, 60_000)

  it('bitfields of the older encoding, enums of two bytes, and va_list', async () => {
    const bytes = encodeBtf(
      [
        { kind: 'int', name: 'int', size: 4, signed: true },
        { kind: 'int', name: 'unsigned int', size: 4, bits: 3 },
        { kind: 'int', name: 'unsigned int', size: 4, bits: 7, offsetBits: 3 },
        {
          kind: 'struct',
          name: 'old_bits',
          size: 8,
          members: [
            { name: 'three', type: 2, offsetBits: 0 },
            { name: 'seven', type: 3, offsetBits: 0 },
            { name: 'whole', type: 1, offsetBits: 32 },
          ],
        },
        { kind: 'enum', name: 'half', size: 2, values: [{ name: 'HALF', value: 1 }] },
        { kind: 'struct', name: '__va_list_tag', size: 24, members: [{ name: 'a', type: 1, offsetBits: 0 }] },
        { kind: 'array', type: 6, indexType: 1, length: 1 },
        { kind: 'typedef', name: '__builtin_va_list', type: 7 },
        {
          kind: 'struct',
          name: 'holder',
          size: 32,
          members: [
            { name: 'half', type: 5, offsetBits: 0 },
            { name: 'args', type: 8, offsetBits: 64 },
          ],
        },
      ],
      { rules: 'none' },
    )
    const text = joinChunks(printC(parseBtf(bytes), { order: 'id' }))
    expect(text).toContain('\tunsigned int three: 3;\n\tunsigned int seven: 7;\n\tint whole;')
    expect(text).toContain('__builtin_va_list___2 args;')
    for (const row of await verifyC(library, bytes, found)) {
      expect(row.errors).toEqual([])
      // The compiler writes the newer encoding, in which these bits are elsewhere in the BTF.
      expect(row.different.map(({ tag }) => tag)).toEqual(['struct old_bits'])
      expect(row.different[0]?.got).toEqual(['8{three@0:3 seven@3:7 whole@32:0}'])
    }
  })

  it('a layout that is not the one of the compiler is found out', async () => {
    const struct = (offsetBits: number, size: number) =>
      encodeBtf(
        [
          { kind: 'int', name: 'int', size: 4, signed: true },
          {
            kind: 'struct',
            name: 'moved',
            size,
            members: [
              { name: 'first', type: 1, offsetBits: 0 },
              { name: 'second', type: 1, offsetBits },
            ],
          },
        ],
        { rules: 'none' },
      )
    // Members that overlap are nothing that C can say.
    const [row] = await verifyC(library, struct(16, 8), found)
    expect([row?.errors, row?.different]).not.toEqual([[], []])
    expect((await verifyC(library, struct(32, 8), found))[0]).toMatchObject(sound)
  })
})
