import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as library from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { cText } from '../../src/print/print-c.ts'
import { splitOf } from './print/split.mjs'
import { clangs, readBtf, verifyC } from './verify-c.mjs'

const { joinChunks, parseBtf, printC, printJson, printRaw } = library
const here = join(import.meta.dirname, 'print')
const kernelFile = join(here, '../../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
const { judge, compilers, outputs } = (await import('./print/outputs.json', { with: { type: 'json' } }))
  .default

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What bpftool would print: `print/DIFFERENCES.md` says where it differs and why. */
const asBpftool = (text: string): string =>
  text
    .replace(/^typedef [^;]*\b__builtin_va_list___2(\[1\])?;\n\n/m, '')
    .replaceAll('__builtin_va_list___2', '__builtin_va_list')

const ours = (btf: Btf): Record<string, string> => ({
  raw: joinChunks(printRaw(btf)),
  json: joinChunks(printJson(btf)),
  c: asBpftool(joinChunks(cText(btf, {}, 1))),
  unsorted: asBpftool(joinChunks(printC(btf, { order: 'id' }))),
})

const hashes = (btf: Btf): Record<string, string> =>
  Object.fromEntries(Object.entries(ours(btf)).map(([name, text]) => [name, hash(text)]))

const kernel = parseBtf(readBtf(kernelFile))

describe(`as ${judge} prints them`, () => {
  it.each(Object.keys(outputs).filter((name) => name.endsWith('.o')))('%s', (name) => {
    const btf = parseBtf(readBtf(join(here, name)), { name })
    expect(hashes(btf)).toEqual(outputs[name as keyof typeof outputs])
  })

  it('objects of three compilers in both byte orders are among them', () => {
    const made = Object.values(compilers).map(({ compiler }) => /version (\d+)/.exec(compiler)?.[1])
    expect(made).toEqual(['14', '14', '19', '19', '22', '22'])
  })

  it('a whole kernel', () => {
    expect(hashes(kernel)).toEqual(outputs.kernel)
  }, 60_000)

  it('a BTF split from it', () => {
    const split = parseBtf(splitOf(library, kernel), { base: kernel })
    expect(joinChunks(printRaw(split)).split('\n')[1]).toMatch(
      /^\[\d+] STRUCT 'module_state' size=40 vlen=5$/,
    )
    expect(hashes(split)).toEqual(outputs.split)
  }, 60_000)

  it('and as a reader sees it, for one object', async () => {
    const name = 'traps.clang-22.el.o'
    const btf = parseBtf(readBtf(join(here, name)))
    await expect(joinChunks(printRaw(btf))).toMatchFileSnapshot(join(here, `${name}.raw.txt`))
    await expect(joinChunks(printC(btf, { order: 'id' }))).toMatchFileSnapshot(
      join(here, `${name}.unsorted.h`),
    )
  })
})

const oracles = process.env['TSBPF_ORACLES']
const folder = process.env['TSBPF_BTF']
const running = '/sys/kernel/btf/vmlinux'
const files = [
  ...(folder === undefined || folder === ''
    ? []
    : readdirSync(folder)
        .filter((name) => name.endsWith('.btf.gz'))
        .map((name) => join(folder, name))),
  ...(existsSync(running) ? [running] : []),
]
const unset = [(oracles ?? '') ? '' : 'TSBPF_ORACLES', (folder ?? '') ? '' : 'TSBPF_BTF'].filter(
  (name) => name !== '',
)
const live = oracles !== undefined && oracles !== '' && files.length > 0
if (process.env['CI'] === 'true' && unset.length > 0) throw new Error(`CI must set ${unset.join(' and ')}`)

const why = live ? '' : ` [not run: ${unset.join(' and ')} is not set]`
describe.skipIf(!live)(
  `live, as bpftool of ${oracles === undefined ? 'TSBPF_ORACLES' : 'the oracles'} prints them${why}`,
  () => {
    const work = live ? mkdtempSync(join(tmpdir(), 'tsbpf-print-')) : ''
    afterAll(() => {
      if (live) rmSync(work, { recursive: true, force: true })
    })
    const dump = (...args: string[]): string =>
      execFileSync(join(oracles ?? '', 'bin/bpftool'), args, { encoding: 'utf8', maxBuffer: 1 << 28 })
    const theirs = (file: string, ...base: string[]): Record<string, string> => ({
      raw: dump(...base, 'btf', 'dump', 'file', file, 'format', 'raw'),
      json: dump('-j', ...base, 'btf', 'dump', 'file', file),
      c: dump(...base, 'btf', 'dump', 'file', file, 'format', 'c'),
      unsorted: dump(...base, 'btf', 'dump', 'file', file, 'format', 'c', 'unsorted'),
    })
    /** Compares without a diff of megabytes: the first line that differs is enough. */
    const compare = (mine: Record<string, string>, other: Record<string, string>): void => {
      for (const [name, text] of Object.entries(other)) {
        const got = mine[name] ?? ''
        if (got === text) continue
        const lines = text.split('\n')
        const at = got.split('\n').findIndex((line, i) => line !== lines[i])
        expect(`${name}:${at + 1}: ${got.split('\n')[at]}`).toBe(`${name}:${at + 1}: ${lines[at]}`)
      }
    }

    it.each(live ? files : ['kernels'])(
      '%s',
      (file) => {
        const bytes = readBtf(file)
        writeFileSync(join(work, 'kernel'), bytes)
        const btf = parseBtf(bytes)
        compare(ours(btf), theirs(join(work, 'kernel')))
        writeFileSync(join(work, 'split'), splitOf(library, btf))
        const split = parseBtf(splitOf(library, btf), { base: btf })
        compare(ours(split), theirs(join(work, 'split'), '-B', join(work, 'kernel')))
      },
      120_000,
    )
  },
)

const compiler = clangs().find((name) => name === 'clang-19')
if (process.env['CI'] === 'true' && compiler === undefined) throw new Error('CI must have clang-19 on PATH')
const missing = compiler === undefined ? ' [not run: clang-19 is not on PATH]' : ''
describe.skipIf(compiler === undefined)(`as clang-19 lays it out${missing}`, () => {
  const check = (bytes: Uint8Array): void => {
    for (const { errors, different, dropped, types } of verifyC(library, bytes, [compiler ?? ''])) {
      expect(types).toBeGreaterThan(0)
      expect({ errors, different, dropped }).toEqual({ errors: [], different: [], dropped: [] })
    }
  }

  it.each(Object.keys(compilers))('%s', (name) => check(readBtf(join(here, name))), 60_000)

  it('a whole kernel', () => check(readBtf(kernelFile)), 300_000)

  it('bitfields of the older encoding, enums of two bytes, and va_list', () => {
    const bytes = library.encodeBtf(
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
    const [row] = verifyC(library, bytes, [compiler ?? ''])
    expect(row?.errors).toEqual([])
    // The compiler writes the newer encoding, in which these bits are elsewhere in the BTF.
    expect(row?.different.map(({ tag }) => tag)).toEqual(['struct old_bits'])
    expect(row?.different[0]?.got).toEqual(['8{three@0:3 seven@3:7 whole@32:0}'])
  })
})
