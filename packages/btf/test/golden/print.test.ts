import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as library from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { cText } from '../../src/print/print-c.ts'
import { kernelFiles, pinnedKernel } from './kernels.ts'
import { splitOf } from './print/split.mjs'
import { readBtf } from './verify-c.mjs'

const { joinChunks, parseBtf, printC, printJson, printRaw } = library
const here = join(import.meta.dirname, 'print')

type Outputs = Readonly<Record<string, string>>
const recorded = (await import('./print/outputs.json', { with: { type: 'json' } })).default
const { judge, compilers, outputs } = recorded
/** By hash of the BTF. */
const kernels: Readonly<Record<string, { readonly whole: Outputs; readonly split: Outputs } | undefined>> =
  recorded.kernels

const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

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

const hashes = (btf: Btf): Outputs =>
  Object.fromEntries(Object.entries(ours(btf)).map(([name, text]) => [name, hash(text)]))

const splitFrom = (base: Btf): Uint8Array => splitOf(library, base)

describe(`as ${judge} prints them`, () => {
  it.each(Object.keys(outputs))('%s', (name) => {
    const btf = parseBtf(readBtf(join(here, name)), { name })
    expect(hashes(btf)).toEqual(outputs[name as keyof typeof outputs])
  })

  it('objects of three compilers in both byte orders are among them', () => {
    const made = Object.values(compilers).map(({ compiler }) => /version (\d+)/.exec(compiler)?.[1])
    expect(made).toEqual(['14', '14', '19', '19', '22', '22'])
  })

  it('and as a reader sees it, for one object', async () => {
    const name = 'traps.clang-22.el.o'
    const btf = parseBtf(readBtf(join(here, name)))
    await expect(joinChunks(printRaw(btf))).toMatchFileSnapshot(join(here, `${name}.raw.txt`))
    await expect(joinChunks(printC(btf, { order: 'id' }))).toMatchFileSnapshot(
      join(here, `${name}.unsorted.h`),
    )
  })
})

const { files, whyNot } = kernelFiles()
const oracles = process.env['TSBPF_ORACLES']

/** What bpftool prints here and now, of a kernel that is not recorded. */
function asked(bytes: Uint8Array, split: Uint8Array): { readonly whole: Outputs; readonly split: Outputs } {
  const work = mkdtempSync(join(tmpdir(), 'tsbpf-print-'))
  const dump = (...args: string[]): string =>
    hash(execFileSync(join(oracles ?? '', 'bin/bpftool'), args, { maxBuffer: 1 << 28 }))
  const all = (file: string, ...base: string[]): Outputs => ({
    raw: dump(...base, 'btf', 'dump', 'file', file, 'format', 'raw'),
    json: dump('-j', ...base, 'btf', 'dump', 'file', file),
    c: dump(...base, 'btf', 'dump', 'file', file, 'format', 'c'),
    unsorted: dump(...base, 'btf', 'dump', 'file', file, 'format', 'c', 'unsorted'),
  })
  try {
    const [kernel, module] = [join(work, 'kernel'), join(work, 'split')]
    writeFileSync(kernel, bytes)
    writeFileSync(module, split)
    return { whole: all(kernel), split: all(module, '-B', kernel) }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

describe(`whole kernels, as ${judge} prints them${whyNot}`, () => {
  it.each(files)('%s, and a BTF split from it', { timeout: 120_000 }, (file) => {
    const bytes = readBtf(file)
    const btf = parseBtf(bytes)
    const split = splitFrom(btf)
    const known = kernels[hash(bytes)]
    if (known === undefined && oracles === undefined) {
      throw new Error(`${file} is not recorded, and TSBPF_ORACLES does not name a bpftool to ask`)
    }
    const theirs = known ?? asked(bytes, split)
    expect(hashes(btf)).toEqual(theirs.whole)
    expect(hashes(parseBtf(split, { base: btf }))).toEqual(theirs.split)
  })

  it('has the split BTF that is meant', () => {
    const kernel = parseBtf(readBtf(pinnedKernel))
    const split = parseBtf(splitFrom(kernel), { base: kernel })
    expect(joinChunks(printRaw(split)).split('\n')[1]).toMatch(
      /^\[\d+] STRUCT 'module_state' size=40 vlen=5$/,
    )
  })
})
