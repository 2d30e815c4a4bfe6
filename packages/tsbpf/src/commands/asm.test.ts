import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseObject } from '@tsbpf/object'
import { afterAll, expect, it } from 'vitest'
import { schemaProblems } from '../../test/support/schema.ts'
import { testIo } from '../../test/support/test-io.ts'
import { main } from '../main.ts'

const object = fileURLToPath(new URL('../../../../examples/syscount/syscount.bpf.o', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-asm-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string): string => join(folder, name)

async function tsbpf(...argv: string[]) {
  const io = testIo()
  const code = await main(argv, io)
  return { code, out: io.out(), err: io.err() }
}

const text = `
  .map counts, type=hash, key=u32, value=u64, max_entries=16
  .section xdp
  .globl pass
pass:
  r1 = counts ll
  r0 = 2
  exit
  .license "GPL"
`

it('writes an object, and says by its schema what it holds', async () => {
  writeFileSync(path('pass.s'), text)
  const done = await tsbpf('asm', path('pass.s'), '-o', path('pass.o'), '--json')
  expect({ code: done.code, err: done.err }).toEqual({ code: 0, err: '' })
  const document = JSON.parse(done.out) as unknown
  expect(schemaProblems('asm', document)).toBeUndefined()
  expect(document).toMatchObject({
    insns: 4,
    programs: [{ name: 'pass', section: 'xdp' }],
    maps: [{ name: 'counts', type: 'hash' }],
  })
  const spec = parseObject(readFileSync(path('pass.o')))
  expect(spec.programs[0]?.relocations).toEqual([{ insn: 0, ref: { kind: 'map', name: 'counts' } }])
  const plain = await tsbpf('asm', path('pass.s'), '-o', path('pass.o'))
  expect(plain).toEqual({
    code: 0,
    out: '',
    err: expect.stringMatching(/pass\.o: \d+ bytes, 4 instruction slots in pass\n$/) as string,
  })
})

it('writes raw instructions of either byte order', async () => {
  writeFileSync(path('add.s'), 'mov %r0, 2\nexit\n')
  const argv = ['asm', path('add.s'), '-o', path('add.bin'), '--raw', '--dialect', 'conformance']
  expect((await tsbpf(...argv)).code).toBe(0)
  expect(readFileSync(path('add.bin')).toString('hex')).toBe('b700000002000000' + '9500000000000000')
  expect((await tsbpf(...argv, '--byte-order', 'big')).code).toBe(0)
  expect(readFileSync(path('add.bin')).toString('hex')).toBe('b700000000000002' + '9500000000000000')
})

it.each(['llvm', 'verifier', 'gnu', 'conformance'])(
  'takes what disasm --assembly prints in %s',
  async (dialect) => {
    const printed = await tsbpf('disasm', object, '--assembly', '--source', '--dialect', dialect)
    expect({ code: printed.code, err: printed.err }).toEqual({ code: 0, err: '' })
    writeFileSync(path('again.s'), printed.out)
    expect((await tsbpf('asm', path('again.s'), '-o', path('again.o'), '--dialect', dialect)).code).toBe(0)
    for (const command of [['inspect'], ['disasm', '--source'], ['core-reloc', '--target', object]]) {
      const [name = '', ...rest] = command
      const ours = await tsbpf(name, path('again.o'), ...rest, '--json')
      const theirs = await tsbpf(name, object, ...rest, '--json')
      // Names of the file are not in the document, but for the source of the local types.
      expect(JSON.parse(ours.out)).toEqual(JSON.parse(theirs.out))
    }
  },
)

it('reports all mistakes and leaves the output as it is', async () => {
  writeFileSync(path('bad.s'), '.section xdp\n.globl f\nf: r1 = conuts ll\n  rr0 = 2\n  exit\n')
  writeFileSync(path('kept.o'), 'before')
  const done = await tsbpf('asm', path('bad.s'), '-o', path('kept.o'))
  expect({ code: done.code, out: done.out }).toEqual({ code: 1, out: '' })
  expect(done.err).toMatch(/^error\[ASM_TEXT\]: .*bad\.s:3:9: expected a name that is defined/)
  expect(done.err).toMatch(/bad\.s:4:3: .*\n.*rr0 = 2\n +\^\nhint: /)
  expect(readFileSync(path('kept.o'), 'utf8')).toBe('before')
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

it.each([
  { argv: ['asm', 'x.s'], code: 2, text: /'-o, --out <OUT>'/ },
  { argv: ['asm', 'no.s', '-o', 'x.o'], code: 1, text: /^error\[CLI_FILE_MISSING]/ },
  { argv: ['asm', object, '-o', 'x.o'], code: 1, text: /^error\[CLI_TEXT]/ },
  {
    argv: ['asm', 'x.s', '-o', 'x.o', '--dialect', 'intel'],
    code: 2,
    text: /llvm, verifier, gnu, conformance/,
  },
  { argv: ['disasm', object, '--assembly', '--json'], code: 2, text: /leave --json out/ },
  { argv: ['disasm', object, '--assembly', '--program', 'x'], code: 2, text: /leave --program out/ },
])('$argv ends with $code', async ({ argv, code, text: expected }) => {
  const done = await tsbpf(...argv)
  expect({ code: done.code, out: done.out }).toEqual({ code, out: '' })
  expect(done.err).toMatch(expected)
  expect(done.err).toMatch(/\nhint: /)
})
