import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'tsbpf-btf-'))
const program = join(folder, 'program.mjs')

const source = `
import { btfBuilder } from './build/btf-builder.ts'
import { codec } from './codec.ts'

const builder = btfBuilder()
const u32 = builder.add({ kind: 'int', name: 'u32', size: 4 })
const members = ['a', 'b'].map((name, i) => ({ name, type: u32, offsetBits: i * 32 }))
const id = builder.add({ kind: 'struct', name: 's', size: 8, members })
const found = codec(builder.open(), id, { compile: 'now' })
const values = []
for (let i = 0; i < 1000; i++) values.push(found.decode(found.encode({ a: i, b: 7 })))
let error
try {
  found.encode({ a: -1 })
} catch ({ code, message }) {
  error = code + ' ' + message
}
let forbidden = false
try {
  new Function('')
} catch {
  forbidden = true
}
console.log(JSON.stringify({ forbidden, compiled: found.compiled, last: values.at(-1), error }))
`

beforeAll(async () => {
  await build({
    stdin: { contents: source, resolveDir: join(import.meta.dirname, '../../src'), loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@tsbpf/source'],
    outfile: program,
    logLevel: 'silent',
  })
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe('a codec in a process of its own', () => {
  it.each([
    [[], false],
    [['--disallow-code-generation-from-strings'], true],
  ] as const)('node %j', (flags, forbidden) => {
    const said: unknown = JSON.parse(
      execFileSync(process.execPath, [...flags, program], { encoding: 'utf8' }),
    )
    expect(said).toEqual({
      forbidden,
      compiled: !forbidden,
      last: { a: 999, b: 7 },
      error: 'BTF_VALUE value.a: expected an integer from 0 to 4294967295, got -1',
    })
  })
})
