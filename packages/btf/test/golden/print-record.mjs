/**
 * Records what bpftool 7.5 prints: compiles `print/traps.bpf.c` with each clang in both byte orders, and keeps the
 * hashes of bpftool's dumps of these objects, of the others in this folder, and of the kernels of the folder TSBPF_BTF,
 * each with a BTF split from it; for one object the text too, to read. `print/outputs.json` has versions and hashes, of
 * kernels by the hash of their BTF.
 *
 *     apt-get install clang-14 clang-19 clang-22 llvm-22 linux-source-6.12
 *     npm run build && TSBPF_BTF=FOLDER node packages/btf/test/golden/print-record.mjs
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import * as library from '@tsbpf/btf'
import { splitOf } from './print/split.mjs'
import { readBtf } from './verify-c.mjs'

const here = import.meta.dirname
const folder = join(here, 'print')
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })
const version = (command) =>
  run(command, '--version')
    .match(/.*version.*/)[0]
    .trim()
const bpftool = join(
  run(process.execPath, join(here, '../../../../tools/oracles/build.mjs')).trim(),
  'bin/bpftool',
)
const kernels = process.env.TSBPF_BTF
if (!kernels) throw new Error('TSBPF_BTF is not set: a folder of kernels, *.btf.gz')
const work = mkdtempSync(join(tmpdir(), 'tsbpf-print-'))

const compilers = {}
for (const compiler of ['clang-14', 'clang-19', 'clang-22']) {
  for (const [order, target] of [
    ['el', 'bpfel'],
    ['eb', 'bpfeb'],
  ]) {
    const object = `traps.${compiler}.${order}.o`
    const flags = [
      '-target',
      target,
      '-O1',
      '-g',
      '-mcpu=v3',
      '-fdebug-compilation-dir=.',
      '-c',
      'traps.bpf.c',
    ]
    run(compiler, ...flags, '-o', object)
    run('llvm-strip-22', '-g', object)
    compilers[object] = { compiler: version(compiler), arguments: flags.join(' ') }
  }
}

const hash = (text) => createHash('sha256').update(text).digest('hex')
function outputs(file, ...base) {
  const dump = (...format) => run(bpftool, ...base, 'btf', 'dump', 'file', file, ...format)
  const texts = {
    raw: dump('format', 'raw'),
    json: run(bpftool, '-j', ...base, 'btf', 'dump', 'file', file),
    c: dump('format', 'c'),
    unsorted: dump('format', 'c', 'unsorted'),
  }
  return {
    texts,
    hashes: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, hash(text)])),
  }
}

try {
  const found = {}
  for (const object of readdirSync(here).filter((name) => name.endsWith('.o'))) {
    found[`../${object}`] = outputs(join(here, object)).hashes
  }
  for (const object of Object.keys(compilers)) {
    const { texts, hashes } = outputs(join(folder, object))
    found[object] = hashes
    if (object !== 'traps.clang-22.el.o') continue
    writeFileSync(join(folder, `${object}.raw.txt`), texts.raw)
    writeFileSync(join(folder, `${object}.unsorted.h`), texts.unsorted)
  }
  const byBtf = {}
  for (const file of readdirSync(kernels).filter((name) => name.endsWith('.btf.gz'))) {
    const bytes = readBtf(join(kernels, file))
    writeFileSync(join(work, 'kernel'), bytes)
    writeFileSync(join(work, 'split'), splitOf(library, library.parseBtf(bytes)))
    byBtf[hash(bytes)] = {
      name: basename(file, '.btf.gz'),
      whole: outputs(join(work, 'kernel')).hashes,
      split: outputs(join(work, 'split'), '-B', join(work, 'kernel')).hashes,
    }
  }
  const judge = run(bpftool, 'version').split('\n', 2).join(', ')
  writeFileSync(
    join(folder, 'outputs.json'),
    `${JSON.stringify({ judge, compilers, outputs: found, kernels: byBtf }, undefined, 2)}\n`,
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
