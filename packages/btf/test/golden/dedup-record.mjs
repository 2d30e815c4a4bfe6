/**
 * Records what libbpf says about the objects of deduplication and sanitising: compiles the sources, keeps the BTF that
 * libbpf would load into kernels that lack something (`sanitize.json`), and has `dedup.test.ts` and
 * `dedup-corpus.test.ts` keep the hashes of libbpf's answers to their questions (`dedup.json`, `dedup-corpus.json`).
 *
 *     apt-get install clang-19 llvm-19 linux-source-6.12
 *     TSBPF_CORPUS=FOLDER TSBPF_BTF=FOLDER node packages/btf/test/golden/dedup-record.mjs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '../../../..')
const run = (command, args, options) => execFileSync(command, args, { cwd: here, encoding: 'utf8', ...options })
const oracles = run(process.execPath, [join(root, 'tools/oracles/build.mjs')]).trim()

const flags = ['-target', 'bpfel', '-O2', '-g', '-mcpu=v3', '-fdebug-compilation-dir=.', '-c']
for (const name of ['dedup-a', 'dedup-b', 'sanitize']) {
  const object = `${name}.clang-19.el.o`
  run('clang-19', [...flags, `${name}.bpf.c`, '-o', object])
  run('llvm-strip-19', ['-g', object])
}

const folder = mkdtempSync(join(tmpdir(), 'tsbpf-record-'))
const features = ['func', 'func_global', 'datasec', 'qmark_datasec', 'float', 'decl_tag', 'type_tag', 'enum64']
const loaded = {}
try {
  for (const missing of [[], ...features.map((name) => [name]), features]) {
    const out = join(folder, 'out')
    run(join(oracles, 'bin/libbpf-btf'), ['sanitize', 'sanitize.clang-19.el.o', out, ...missing])
    loaded[missing.join(' ')] = readFileSync(out, 'base64')
  }
} finally {
  rmSync(folder, { recursive: true })
}
const version = run(join(oracles, 'bin/bpftool'), ['version']).match(/libbpf (\S+)/)[1]
const compiler = run('clang-19', ['--version']).split('\n')[0]
const golden = { judge: `libbpf ${version}`, compiler, arguments: flags.join(' '), loaded }
writeFileSync(join(here, 'sanitize.json'), `${JSON.stringify(golden, undefined, 2)}\n`)

const env = { ...process.env, TSBPF_ORACLES: oracles, TSBPF_RECORD: '1' }
for (const name of ['TSBPF_CORPUS', 'TSBPF_BTF']) if (!env[name]) throw new Error(`${name} is not set`)
run('npx', ['vitest', 'run', '--project', 'unit', 'packages/btf/test/golden/dedup'], { cwd: root, env, stdio: 'inherit' })
