import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeBtf, parseBtf } from '@tsbpf/btf'
import { afterAll, describe, expect, it } from 'vitest'
import { schemaProblems } from '../../test/support/schema.ts'
import { testIo } from '../../test/support/test-io.ts'
import { main } from '../main.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../../../${name}`, import.meta.url))
const kernel = path('packages/testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
const object = path('packages/btf/test/golden/print/traps.clang-22.el.o')
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-btf-dump-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const baseBytes = encodeBtf([{ kind: 'int', name: 'int', size: 4, signed: true }])
const base = join(folder, 'base.btf')
const split = join(folder, 'split.btf')
writeFileSync(base, baseBytes)
writeFileSync(
  split,
  encodeBtf([{ kind: 'typedef', name: 'count_t', type: 1 }], { base: parseBtf(baseBytes) }),
)

async function tsbpf(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = testIo()
  const code = await main(['btf', 'dump', ...argv], io)
  return { code, out: io.out(), err: io.err() }
}

describe('btf dump', () => {
  it('prints the types of an object line by line', async () => {
    const { code, out, err } = await tsbpf(object)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^\[1] \w+ '/)
    expect(out).toMatch(/\n\[\d+] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n/)
  })

  it('prints a kernel packed by gzip as a C header, or a part of it', async () => {
    const all = await tsbpf(kernel, '--format', 'c')
    expect(all.out).toContain('\nstruct task_struct {\n')
    const part = await tsbpf(kernel, '--format', 'c', '--root', 'list_head', '--root', 'enum cpuhp_state')
    expect(part.out).toContain('\nstruct list_head {\n')
    expect(part.out).toContain('\nenum cpuhp_state {\n')
    expect(part.out).not.toContain('task_struct')
  })

  it('prints TypeScript', async () => {
    const { out } = await tsbpf(kernel, '--format', 'ts', '--root', 'struct list_head')
    expect(out).toBe(
      '/** struct list_head, 16 bytes. */\nexport interface list_head {\n  next: bigint\n  prev: bigint\n}\n',
    )
  })

  it('prints a BTF split from a base', async () => {
    expect((await tsbpf(split, '--base', base)).out).toBe("[2] TYPEDEF 'count_t' type_id=1\n")
    const alone = await tsbpf(split)
    expect(alone.code).toBe(1)
    expect(alone.err).toMatch(/^error\[BTF_STRING]: .*split\.btf: .*\nhint: .*base/)
  })

  it.each([
    [[]],
    [['--format', 'json']],
    [['--root', 'has_enums']],
    [['--format', 'c']],
    [['--format', 'ts', '--root', 'has_enums']],
  ])('--json %j prints a document of the schema', async (more) => {
    const { code, out } = await tsbpf(object, '--json', ...more)
    expect(code).toBe(0)
    expect(schemaProblems('btf-dump', JSON.parse(out))).toBeUndefined()
  })

  it('--json of a kernel is a document of the schema, with 64-bit values as text', async () => {
    const { out } = await tsbpf(object, '--json', '--root', 'wide_enum', '--root', 'unsigned_enum')
    const { types } = JSON.parse(out) as { types: { values: { val: unknown }[] }[] }
    expect(types[0]?.values[0]?.val).toBe('18446744073709551615')
    expect(types[1]?.values[0]?.val).toBe(4_294_967_295)
    const all = JSON.parse((await tsbpf(kernel, '--json')).out) as { types: unknown[] }
    expect(all.types.length).toBeGreaterThan(100_000)
    expect(schemaProblems('btf-dump', { types: all.types.slice(0, 5000) })).toBeUndefined()
  }, 30_000)

  it.each([
    { argv: [], text: /missing required argument 'FILE'/ },
    { argv: [kernel, '--format', 'java'], text: /raw, c, ts, json/ },
    { argv: [kernel, '--format', 'ts'], text: /add --root/ },
    { argv: [kernel, '--base'], text: /argument missing/ },
  ])('$argv is wrong usage', async ({ argv, text }) => {
    const { code, out, err } = await tsbpf(...argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(text)
  })

  it.each([
    { argv: ['no/such.btf'], code: 'CLI_FILE_MISSING' },
    { argv: [path('package.json')], code: 'CLI_TARGET_FORMAT' },
    { argv: [kernel, '--root', 'task_strukt'], code: 'BTF_NO_TYPE' },
    { argv: [kernel, '--base', 'no/base.btf'], code: 'CLI_FILE_MISSING' },
  ])('$argv fails with $code', async ({ argv, code }) => {
    const done = await tsbpf(...argv)
    expect({ code: done.code, out: done.out }).toEqual({ code: 1, out: '' })
    expect(done.err).toMatch(new RegExp(`^error\\[${code}\\]: .*\\nhint: .*\\n$`))
  })

  const built = path('packages/tsbpf/dist/index.js')
  it.skipIf(!existsSync(built))('is silent when its reader goes away', () => {
    const command = `"${process.execPath}" "${path('packages/tsbpf/bin/tsbpf.js')}" btf dump "${kernel}" | head -1`
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toMatch(/^\[1] INT /)
  })
})
