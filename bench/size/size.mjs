/**
 * Sizes of small programs as a page would load them: each entry bundled with what it imports, minified, gzipped. Fails
 * where one is larger than its budget. Measured from source, so that nothing needs to be built.
 *
 *     node bench/size/size.mjs [--json]
 */
import { build } from 'esbuild'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '../..')
/** Programs of `entries/` and the bytes that each may have, gzipped; a kilobyte is 1000 bytes. */
const budgets = [
  ['elf', 6000, 'parses ELF and lists symbols'],
  ['elf-btf', 14_000, 'parses ELF and queries its BTF'],
  ['core-reloc', 25_000, 'relocates an object to a kernel, and explains each decision'],
  ['asm', 12_000, 'builds raw instructions'],
]

const rows = []
for (const [name, budget, what] of budgets) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(import.meta.dirname, 'entries', `${name}.ts`)],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@tsbpf/source'],
    write: false,
    metafile: true,
  })
  const [{ contents }] = outputFiles
  const [{ inputs }] = Object.values(metafile.outputs)
  const largest = Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => ({ path: relative(root, join(root, path)), bytes: bytesInOutput }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
  rows.push({
    name,
    what,
    budget,
    gzipped: gzipSync(contents, { level: 9 }).length,
    minified: contents.length,
    largest,
  })
}

if (process.argv.includes('--json')) console.log(JSON.stringify(rows, undefined, 2))
else {
  for (const { name, what, budget, gzipped, minified, largest } of rows) {
    console.log(`${name}: ${gzipped} of ${budget} bytes gzipped (${minified} minified) — ${what}`)
    for (const { path, bytes } of largest.slice(0, 5)) console.log(`  ${String(bytes).padStart(6)}  ${path}`)
  }
}
const over = rows.filter(({ gzipped, budget }) => gzipped > budget)
for (const { name, gzipped, budget } of over)
  console.error(`error: ${name} is ${gzipped - budget} bytes over its budget`)
process.exit(over.length === 0 ? 0 : 1)
