import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseBtf } from '@tsbpf/btf'
import { afterAll, expect, it } from 'vitest'
import { schemaProblems } from '../../test/support/schema.ts'
import { testIo } from '../../test/support/test-io.ts'
import { main } from '../main.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../../../${name}`, import.meta.url))
const kernel = path('packages/testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
const fixtures = path('packages/core-reloc/test/golden/bpf')
const object = join(fixtures, 'kernel.bpf.o')
const syscount = path('examples/syscount/syscount.bpf.o')
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-min-core-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function tsbpf(...argv: string[]) {
  const io = testIo()
  const code = await main(argv, io)
  return { code, out: io.out(), err: io.err() }
}

it('writes BTF to which the objects relocate as to the whole', async () => {
  const out = join(folder, 'min.btf')
  const done = await tsbpf('btf', 'min-core', '--target', kernel, '-o', out, object, syscount)
  expect(done).toEqual({
    code: 0,
    out: '',
    err: expect.stringMatching(
      /min\.btf: \d+ types in \d+ bytes, of \d{6} types and \d{7} bytes\n$/,
    ) as string,
  })
  for (const file of [object, syscount]) {
    const rows = async (target: string) => {
      const { relocations } = JSON.parse(
        (await tsbpf('core-reloc', file, '--target', target, '--json')).out,
      ) as {
        relocations: { kind: string; status: string; newValue: string; accessText: string }[]
      }
      return relocations.map((row) => [
        row.accessText,
        row.status,
        row.kind === 'target_type_id' || row.newValue,
      ])
    }
    const expected = await rows(kernel)
    expect(expected.length).toBeGreaterThan(0)
    expect(await rows(out)).toEqual(expected)
  }
  expect(readdirSync(folder)).toEqual(['min.btf'])
})

it('--json says what was written, by its schema', async () => {
  const out = join(folder, 'json.btf')
  const done = await tsbpf('btf', 'min-core', '--target', kernel, '-o', out, syscount, '--json')
  expect({ code: done.code, err: done.err }).toEqual({ code: 0, err: '' })
  const document = JSON.parse(done.out) as { types: number; bytes: number }
  expect(schemaProblems('btf-min-core', document)).toBeUndefined()
  const bytes = readFileSync(out)
  expect(document).toMatchObject({ out, bytes: bytes.length, types: parseBtf(bytes).endId - 1 })
})

it('replaces what a link leads to, and leaves the link and the rights', async () => {
  const real = join(folder, 'real.btf')
  const link = join(folder, 'link.btf')
  writeFileSync(real, 'before', { mode: 0o600 })
  symlinkSync(real, link)
  expect(await tsbpf('btf', 'min-core', '--target', kernel, '-o', link, syscount)).toMatchObject({ code: 0 })
  expect(parseBtf(readFileSync(real)).endId).toBeGreaterThan(1)
  expect(statSync(real).mode & 0o777).toBe(0o600)
})

it('leaves the output as it is where a relocation fails', async () => {
  const work = join(folder, 'failed')
  mkdirSync(work)
  const out = join(work, 'kept.btf')
  writeFileSync(out, 'before')
  const target = join(fixtures, 'target-moved.btf')
  const done = await tsbpf('btf', 'min-core', '--target', target, '-o', out, join(fixtures, 'local.bpf.o'))
  expect({ code: done.code, out: done.out }).toEqual({ code: 1, out: '' })
  expect(done.err).toMatch(/^error\[CORE_\w+]: \w+ insn \d+ \(.*local\.bpf\.c:\d+\): .*\nhint: /)
  expect(readFileSync(out, 'utf8')).toBe('before')
  expect(readdirSync(work)).toEqual(['kept.btf'])
})

it.each([
  { argv: ['--target', kernel, '-o', 'x.btf'], code: 2, text: /missing required argument 'OBJ'/ },
  { argv: ['-o', 'x.btf', object], code: 2, text: /'--target <BTF>'/ },
  { argv: ['--target', kernel, object], code: 2, text: /'-o, --out <OUT>'/ },
  {
    argv: ['--target', kernel, '-o', join(folder, 'no', 'x.btf'), object],
    code: 1,
    text: /^error\[CLI_FILE_WRITE]: .*ENOENT/,
  },
  {
    argv: ['--target', kernel, '-o', folder, object],
    code: 1,
    text: /^error\[CLI_FILE_KIND]: .*a directory/,
  },
  {
    argv: ['--target', path('package.json'), '-o', 'x.btf', object],
    code: 1,
    text: /^error\[CLI_TARGET_FORMAT]/,
  },
  { argv: ['--target', kernel, '-o', 'x.btf', 'no.o'], code: 1, text: /^error\[CLI_FILE_MISSING]/ },
])('$argv ends with $code', async ({ argv, code, text }) => {
  const done = await tsbpf('btf', 'min-core', ...argv)
  expect({ code: done.code, out: done.out }).toEqual({ code, out: '' })
  expect(done.err).toMatch(text)
  expect(done.err).toMatch(/\nhint: /)
})
