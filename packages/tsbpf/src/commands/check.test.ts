import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeBtf } from '@tsbpf/btf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schemaProblems } from '../../test/support/schema.ts'
import type { TestIoOptions } from '../../test/support/test-io.ts'
import { testIo } from '../../test/support/test-io.ts'
import { main } from '../main.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../../../${name}`, import.meta.url))
const kernel = path('packages/testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
const fixtures = 'packages/core-reloc/test/golden/bpf'
const object = path(`${fixtures}/kernel.bpf.o`)
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the object needs is missing here, so that it is poisoned or absent. */
const empty = encodeBtf([{ kind: 'int', name: 'int', size: 4, signed: true }])

beforeAll(() => {
  mkdirSync(join(folder, 'good', 'not-a-target'), { recursive: true })
  copyFileSync(kernel, join(folder, 'good', '6.12.btf.gz'))
  copyFileSync(path('examples/syscount/syscount.bpf.o'), join(folder, 'good', '6.9'))
  writeFileSync(join(folder, 'good', '.hidden'), 'no BTF')
  mkdirSync(join(folder, 'mixed'))
  writeFileSync(join(folder, 'mixed', '5.10.btf'), empty)
  writeFileSync(join(folder, 'mixed', '5.4.btf'), empty)
  writeFileSync(join(folder, 'mixed', 'notes.txt'), 'these are kernels')
  mkdirSync(join(folder, 'alike'))
  for (const name of ['5.4.btf', '5.10.btf']) writeFileSync(join(folder, 'alike', name), empty)
  mkdirSync(join(folder, 'none'))
  mkdirSync(join(folder, 'moved'))
  for (const name of ['target-moved.btf', 'target-flavours.btf']) {
    copyFileSync(path(`${fixtures}/${name}`), join(folder, 'moved', name))
  }
})

interface Document {
  readonly targets: readonly {
    readonly target: string
    readonly status: string
    readonly resolved: number
    readonly poisoned: number
    readonly failed: number
    readonly problems: readonly {
      readonly program: string
      readonly status: string
      readonly reason: string
      readonly line: { readonly text: string } | null
      readonly error: { readonly code: string } | null
    }[]
    readonly error: { readonly code: string } | null
  }[]
}

async function tsbpf(argv: readonly string[], options?: TestIoOptions) {
  const io = testIo(options)
  const code = await main(['check', ...argv], io)
  return { code, out: io.out(), err: io.err() }
}

async function json(file: string, targets: string): Promise<{ code: number; err: string } & Document> {
  const { code, out, err } = await tsbpf([file, '--targets', join(folder, targets), '--json'])
  const document = JSON.parse(out) as Document
  expect(schemaProblems('check', document)).toBeUndefined()
  return { code, err, ...document }
}

describe('check', () => {
  it('exits 0 where the object relocates everywhere: packed BTF, ELF with .BTF', async () => {
    const { code, err, targets } = await json(path('examples/syscount/syscount.bpf.o'), 'good')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(targets.map(({ target, status, error }) => [target, status, error])).toEqual([
      ['6.9', expect.stringMatching(/ok|poisoned/), null],
      ['6.12', expect.stringMatching(/ok|poisoned/), null],
    ])
    expect(targets[1]?.resolved).toBeGreaterThan(0)
  })

  it('names what breaks and goes on after a file that is no BTF; numbers count', async () => {
    const { code, err, targets } = await json(object, 'mixed')
    expect(code).toBe(1)
    expect(err).toMatch(/^error\[CLI_CHECK]: .* 1 of 3 targets\nhint: .*\n$/)
    expect(targets.map(({ target, status }) => [target, status])).toEqual([
      ['5.4', 'poisoned'],
      ['5.10', 'poisoned'],
      ['notes.txt', 'failed'],
    ])
    expect(targets[0]?.problems[0]).toMatchObject({
      status: 'poisoned',
      reason: 'the target has no such type',
    })
    expect(targets[2]).toMatchObject({ problems: [], error: { code: 'CLI_TARGET_FORMAT' } })
  })

  it('says the same as core-reloc of each target', async () => {
    const local = path(`${fixtures}/local.bpf.o`)
    const { code, targets } = await json(local, 'moved')
    expect(code).toBe(1)
    for (const one of targets) {
      const io = testIo()
      await main(['core-reloc', local, '--target', join(folder, 'moved', `${one.target}.btf`), '--json'], io)
      const { relocations } = JSON.parse(io.out()) as { relocations: { status: string }[] }
      for (const status of ['resolved', 'poisoned', 'failed'] as const) {
        expect(one[status], status).toBe(relocations.filter((row) => row.status === status).length)
      }
      expect(one.problems.length).toBe(one.poisoned + one.failed)
      expect(one.problems.some((problem) => problem.error !== null)).toBe(one.failed > 0)
    }
    expect(targets.some(({ failed }) => failed > 0)).toBe(true)
  })

  it('prints one table, and each breakage once with its targets and source line', async () => {
    const { code, out } = await tsbpf([object, '--targets', join(folder, 'mixed')])
    expect(code).toBe(1)
    expect(out).toMatch(
      /^TARGET +RESULT +RESOLVED +POISONED +FAILED\n5\.4 +poisoned +\d+ +\d+ +0\n5\.10 +poisoned /,
    )
    expect(out).toMatch(
      /\npoisoned on 5\.4, 5\.10\n {2}\w+ \(.*kernel\.bpf\.c:\d+\): \w+ of .*\n {2}source: .*\n {2}the target has no such type\n/,
    )
    expect(out).toMatch(/\nfailed on notes\.txt\n {2}.*notes\.txt is no BTF/)
    expect(out).toMatch(/\n3 targets: 0 ok, 2 poisoned, 1 failed\n$/)
  })

  it('says once what breaks on every target', async () => {
    const { code, out } = await tsbpf([object, '--targets', join(folder, 'alike')])
    expect(code).toBe(0)
    expect(out).toContain('\npoisoned on every target\n')
    expect(out).not.toContain('poisoned on 5.4')
  })

  it('shows how far it is on a terminal, and takes that away', async () => {
    const { out, err } = await tsbpf([object, '--targets', join(folder, 'mixed')], { isTTY: true })
    expect(err).toContain('checking 2 of 3: 5.10')
    expect(err).toMatch(/notes\.txt\r\u001b\[K(?!checking)/)
    expect(out).toContain('\u001b[33mpoisoned\u001b[39m on')
  })

  it('reads an object without relocations too', async () => {
    const plain = join(folder, 'plain.o')
    const elf = readFileSync(path('packages/object/test/golden/data.nobtf.el.o'))
    writeFileSync(plain, elf)
    const { code, targets } = await json(plain, 'good')
    expect(code).toBe(0)
    expect(targets.map(({ status, resolved }) => [status, resolved])).toEqual([
      ['ok', 0],
      ['ok', 0],
    ])
  })

  it.each([
    { argv: [object], code: 2, text: /required option '--targets <DIR>'/ },
    { argv: [object, '--targets', join(folder, 'gone')], code: 1, text: /^error\[CLI_FILE_MISSING]/ },
    { argv: [object, '--targets', object], code: 1, text: /^error\[CLI_TARGETS_FOLDER]: .*ENOTDIR/ },
    { argv: [object, '--targets', join(folder, 'none')], code: 1, text: /^error\[CLI_NO_TARGETS]/ },
    { argv: ['no/such.o', '--targets', folder], code: 1, text: /^error\[CLI_FILE_MISSING]/ },
  ])('$argv ends with $code', async ({ argv, code, text }) => {
    const done = await tsbpf(argv)
    expect({ code: done.code, out: done.out }).toEqual({ code, out: '' })
    expect(done.err).toMatch(text)
    expect(done.err).toMatch(/\nhint: /)
  })
})
