/**
 * Builds the golden objects from the C sources beside this file, and records what libbpf makes of each.
 *
 *     node packages/object/test/golden/record.mjs             build and record
 *     node packages/object/test/golden/record.mjs --check     change nothing; fail where something would change
 *
 * With TSBPF_CORPUS set, what libbpf makes of the objects of the corpus is recorded too; those stay outside the repository.
 *
 * Needs clang-19 and clang-14 (`clang-14` on Debian 12 is `clang`), and the oracle libbpf-open: `$LIBBPF_OPEN`, else
 * what `tools/oracles/build.mjs` builds. Big-endian objects have no oracle of their own: libbpf opens only those of its
 * host's byte order, so they are compared with what it says about the little-endian twin.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = import.meta.dirname
const root = join(folder, '../../../..')
const check = process.argv.includes('--check')

/** Names are relative and the compilation folder is `.`, so that the bytes do not depend on where the clone lies. */
const common = '-mcpu=v3 -O2 -Wall -Wno-unused-variable -Wno-unused-function -Wno-unused-const-variable'
const debug = '-g -fdebug-compilation-dir=.'

const variants = [
  { name: 'clang-19.el', compiler: 'clang-19', flags: `-target bpfel ${common} ${debug}` },
  { name: 'clang-19.eb', compiler: 'clang-19', flags: `-target bpfeb ${common} ${debug}`, twin: 'clang-19.el' },
  { name: 'clang-14.el', compiler: 'clang-14', flags: `-target bpfel ${common} ${debug}` },
  { name: 'nobtf.el', compiler: 'clang-19', flags: `-target bpfel ${common}`, only: ['data', 'legacy'] },
]

function run(command, args, cwd = folder) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error !== undefined || status !== 0) {
    console.error(`error: ${command} ${args.join(' ')}\n${error?.message ?? stderr}`)
    process.exit(1)
  }
  return stdout
}

const oracle = process.env.LIBBPF_OPEN ?? join(run('node', [join(root, 'tools/oracles/build.mjs')]).trim(), 'bin/libbpf-open')
const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.bpf.c'))
  .map((name) => name.slice(0, -'.bpf.c'.length))
  .sort()

const scratch = mkdtempSync(join(tmpdir(), 'tsbpf-golden-'))
const objects = {}
for (const source of sources) {
  for (const { name, compiler, flags, twin, only } of variants) {
    if (only !== undefined && !only.includes(source)) continue
    const object = `${source}.${name}.o`
    run(compiler, [...flags.split(' '), '-c', `${source}.bpf.c`, '-o', join(scratch, object)])
    const said = twin === undefined ? `${source}.${name}.libbpf.json` : undefined
    if (said !== undefined) writeFileSync(join(scratch, said), run(oracle, [object], scratch))
    objects[object] = { sha256: sha256(join(scratch, object)), libbpf: said ?? `${source}.${twin}.libbpf.json` }
  }
}
const compilers = Object.fromEntries(
  ['clang-19', 'clang-14'].map((compiler) => [compiler, run(compiler, ['--version']).split('\n', 1)[0]]),
)
const flags = Object.fromEntries(variants.map((variant) => [variant.name, variant.flags]))
writeFileSync(join(scratch, 'objects.json'), `${JSON.stringify({ compilers, flags, objects }, undefined, 2)}\n`)

/** Objects of other projects: facts about them only, the instructions and data as hashes. */
function corpus(folder) {
  const answers = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !/-e[lb]\.elf$/.test(entry.name) || readFileSync(path).indexOf('\x7fELF') !== 0) continue
    const view = JSON.parse(run(oracle, [path]))
    const hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16)
    for (const map of view.maps ?? []) if (map.initial !== undefined) map.initial = hash(map.initial)
    // An instruction that refers to an extern depends on the kernel, so only programs of objects without are compared.
    view.linked = (view.linked ?? []).map(({ name, insns }) => ({ name, insns: hash(insns) }))
    if (view.reason !== undefined) view.reason = view.reason.replaceAll(`${folder}/`, '')
    answers[path.slice(folder.length + 1)] = view
  }
  return Object.fromEntries(Object.entries(answers).sort(([a], [b]) => (a < b ? -1 : 1)))
}

if (process.env.TSBPF_CORPUS) {
  const answers = corpus(process.env.TSBPF_CORPUS)
  writeFileSync(join(scratch, 'corpus.libbpf.json'), `${JSON.stringify(answers, undefined, 1)}\n`)
}

let different = 0
for (const file of readdirSync(scratch)) {
  const same = existsSync(join(folder, file)) && readFileSync(join(folder, file)).equals(readFileSync(join(scratch, file)))
  if (same) continue
  different++
  if (check) console.error(`error: ${file} differs from what its source gives`)
  else copyFileSync(join(scratch, file), join(folder, file))
}
rmSync(scratch, { recursive: true })
console.log(`${Object.keys(objects).length} objects, ${different} files ${check ? 'differ' : 'written'}`)
process.exitCode = check && different > 0 ? 1 : 0
