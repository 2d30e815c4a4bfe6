import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { dedupBtf, distillBase, parseBtf, relocateBtf } from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { libbpf, noLibbpf, sha256 } from '../libbpf.ts'
import { kernel, mergeCases, objectCases, splitCases } from './dedup-cases.ts'
import type { Case } from './dedup-cases.ts'
import { sectionsOf } from './sections.ts'

const corpus = corpusDir()
const notRun = noLibbpf ?? (corpus === undefined ? corpusMissing : undefined)
const title = (name: string, reason: string | undefined) =>
  reason === undefined ? name : `${name} [not run: ${reason}]`

/** What follows the header: libbpf keeps the longer header of newer BTF, and this package writes the plain one. */
function content(bytes: Uint8Array, file: string): Uint8Array {
  if (file === 'ext') return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return bytes.subarray(view.getUint32(4, bytes[0] === 0x9f))
}

/** Asks libbpf live; answers are compared as hashes. */
function judge({ name, ask, ours }: Case): void {
  const theirs = libbpf(ask, [...ours.keys()])
  expect(theirs.ok, `${name}: ${theirs.text}`).toBe(true)
  for (const [file, bytes] of ours) {
    const their = theirs.files.get(file)!
    expect(sha256(content(bytes, file)), `${name}, ${file}: ${bytes.length} and ${their.length} bytes`).toBe(
      sha256(content(their, file)),
    )
  }
}

describe.skipIf(notRun !== undefined)(title('the corpus, byte for byte as libbpf', notRun), () => {
  const root = join(corpus ?? '', 'cilium-ebpf')
  const all = corpus === undefined ? [] : readdirSync(root, { recursive: true, encoding: 'utf8' })
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(root, name)))
  const names = all.filter((name) => name.endsWith('.elf') && read(name).length > 64)
  const objects = names.filter((name) => sectionsOf(read(name)).has('.BTF'))
  const btfOf = (name: string): Btf => parseBtf(sectionsOf(read(name)).get('.BTF')!, { name })
  const base = notRun === undefined ? kernel() : undefined

  it.each(objects)('%s', (name) => {
    for (const question of objectCases(name, read(name))) judge(question)
    for (const question of splitCases(name, base!, btfOf(name), [base!])) judge(question)
  }, 60_000)

  it('all of them together', () => {
    const little = objects.filter((name) => !name.endsWith('-eb.elf')).map(btfOf)
    expect(little.length).toBeGreaterThan(20)
    for (const question of mergeCases('all', little)) judge(question)
  }, 60_000)

  it('a module with its base', () => {
    const full = parseBtf(read('btf/testdata/btf_testmod.btf.base'), { name: 'base' })
    const module = parseBtf(read('btf/testdata/btf_testmod.btf'), { base: full, name: 'btf_testmod' })
    judge({
      name: 'the module deduplicated',
      ask: ['dedup', '--base', full.bytes, module.bytes, 'out'],
      ours: new Map([['out', dedupBtf(module).btf.bytes]]),
    })
    const distilled = distillBase(module)
    judge({
      name: 'the module distilled',
      ask: ['distill', full.bytes, module.bytes, 'base', 'out'],
      ours: new Map([
        ['base', distilled.base.bytes],
        ['out', distilled.btf.bytes],
      ]),
    })
    judge({
      name: 'the module relocated',
      ask: ['relocate', distilled.base.bytes, distilled.btf.bytes, full.bytes, 'out'],
      ours: new Map([['out', relocateBtf(distilled.btf, full).btf.bytes]]),
    })
  }, 60_000)
})

const kernels = process.env['TSBPF_BTF']
const noKernels =
  noLibbpf ?? (kernels === undefined ? 'TSBPF_BTF is not set: a folder of vmlinux BTF, *.btf.gz' : undefined)

describe.skipIf(noKernels !== undefined)(title('kernels, byte for byte as libbpf', noKernels), () => {
  const names = kernels === undefined ? [] : readdirSync(kernels).filter((name) => name.endsWith('.btf.gz')).sort()
  const open = (name: string): Btf =>
    parseBtf(new Uint8Array(gunzipSync(readFileSync(join(kernels ?? '', name)))), { name })
  const pairs = names.slice(1).map((name, i) => [names[i]!, name] as const)

  it.each(names)('%s is deduplicated already', (name) => {
    const btf = open(name)
    const done = dedupBtf(btf).btf
    expect(done.endId).toBe(btf.endId)
    judge({ name, ask: ['dedup', btf.bytes, 'out'], ours: new Map([['out', done.bytes]]) })
  }, 60_000)

  it.each(pairs)('%s and %s', (one, other) => {
    for (const question of mergeCases('two kernels', [open(one), open(other)])) judge(question)
  }, 120_000)

  it('all of them', () => {
    for (const question of mergeCases('all kernels', names.map(open))) judge(question)
  }, 240_000)
})
