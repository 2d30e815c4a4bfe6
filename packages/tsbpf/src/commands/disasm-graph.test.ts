import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assembleObject } from '@tsbpf/asm'
import { parseObject } from '@tsbpf/object'
import { afterAll, expect, it } from 'vitest'
import { testIo } from '../../test/support/test-io.ts'
import { layOut } from '../lay-out.ts'
import { main } from '../main.ts'

const object = fileURLToPath(new URL('../../../../examples/syscount/syscount.bpf.o', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-graph-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function tsbpf(...argv: string[]) {
  const io = testIo()
  const code = await main(argv, io)
  return { code, out: io.out(), err: io.err() }
}

/** An object with this code in one XDP program. */
function program(code: string, name = 'p'): string {
  const file = join(folder, `${code.length}.o`)
  writeFileSync(file, assembleObject(`.section xdp\n.globl ${name}\n${name}:\n${code}\n`))
  return file
}

const nodes = (svg: string): number => svg.match(/<g id="node\d+" class="node">/g)?.length ?? 0

it('draws the blocks of one function, in DOT and as SVG', async () => {
  const [first] = parseObject(readFileSync(object)).programs
  const argv = ['disasm', object, '--program', first?.name ?? '', '--graph', 'cfg', '--source']
  const dot = await tsbpf(...argv)
  expect({ code: dot.code, err: dot.err }).toEqual({ code: 0, err: '' })
  expect(dot.out.match(/subgraph/g)?.length).toBe(1)
  const blocks = dot.out.match(/ f0b\d+ \[label=/g)?.length ?? 0
  expect(blocks).toBeGreaterThan(2)
  const svg = await tsbpf(...argv, '--format', 'svg')
  expect({ code: svg.code, err: svg.err }).toEqual({ code: 0, err: '' })
  expect(svg.out).toMatch(/^<\?xml [^]*<svg [^]*<\/svg>\s*$/)
  expect(nodes(svg.out)).toBe(blocks)
  expect(svg.out).toContain('bpf_map_lookup_elem')
})

it('draws who calls whom', async () => {
  const svg = await tsbpf('disasm', object, '--graph', 'calls', '--format', 'svg')
  const { programs, subprograms } = parseObject(readFileSync(object))
  expect(nodes(svg.out)).toBe(programs.length + subprograms.length)
})

it('shows names of strangers as text', async () => {
  const file = program('r0 = 0\nexit', String.raw`"<script>&lt;\"\\N\n"`)
  const svg = await tsbpf('disasm', file, '--graph', 'cfg', '--format', 'svg')
  expect(svg.err).toBe('')
  expect(svg.out).toContain(String.raw`>&lt;script&gt;&amp;lt;&quot;\N <`)
})

it('lays out a hundred jumps to one exit', async () => {
  const code = `${'if r1 == 0 goto out\n'.repeat(100)}out:\nexit`
  const svg = await tsbpf('disasm', program(code), '--graph', 'cfg', '--format', 'svg')
  expect(svg.err).toBe('')
  expect(nodes(svg.out)).toBe(101)
})

it('refuses to lay out what is too large, takes too long, or is no graph', async () => {
  const file = program(`${'r0 = 0\n'.repeat(100_000)}exit`)
  const svg = await tsbpf('disasm', file, '--graph', 'cfg', '--format', 'svg')
  expect({ code: svg.code, out: svg.out }).toEqual({ code: 1, out: '' })
  expect(svg.err).toMatch(/^error\[CLI_LAYOUT\]: .* more than 1048576\nhint: .*--program.*--format dot.*\n$/)
  expect((await tsbpf('disasm', file, '--graph', 'cfg')).code).toBe(0)
  await expect(layOut('digraph { a -> b }', { seconds: 0 })).rejects.toMatchObject({ code: 'CLI_LAYOUT' })
  await expect(layOut('digraph {')).rejects.toThrow(/Graphviz gives up: .*syntax error/)
})

it.each([
  { argv: ['--format', 'svg'], text: /add --graph/ },
  { argv: ['--graph', 'cfg', '--json'], text: /leave --json out/ },
  { argv: ['--graph', 'cfg', '--assembly'], text: /leave --assembly out/ },
  { argv: ['--graph', 'calls', '--program', 'p'], text: /leave --program out/ },
  { argv: ['--graph', 'calls', '--source'], text: /leave --source out/ },
  { argv: ['--graph', 'tree'], text: /cfg, calls/ },
])('$argv is wrong: exit 2', async ({ argv, text }) => {
  const { code, out, err } = await tsbpf('disasm', object, ...argv)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(text)
})
