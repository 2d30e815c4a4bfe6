/**
 * Builds the objects of a static link from the C sources beside this file, and what bpftool links them into.
 *
 *     node packages/object/test/golden/link/record.mjs             build and record
 *     node packages/object/test/golden/link/record.mjs --check     change nothing; fail where something would change
 *
 * Needs clang-19 and bpftool of the oracles: `$TSBPF_ORACLES`, else what `tools/oracles/build.mjs` builds.
 *
 * The order is one in which each map is defined before it is declared or defined weakly: otherwise the linker of
 * libbpf 1.5 gives a map the place of its first declaration in BTF, and libbpf refuses what it has linked. Nor does that
 * linker take two objects that declare the same kfunc.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = import.meta.dirname
const root = join(folder, '../../../../..')
const check = process.argv.includes('--check')
const sources = ['lib', 'main', 'extra', 'off-one', 'off-two']
/** Those of which bpftool can load all programs. */
const loadable = ['lib', 'main', 'extra']
const flags = '-mcpu=v3 -O2 -g -Wall -Wno-ignored-attributes -Wno-unused-variable -fdebug-compilation-dir=.'

function run(command, args, cwd = folder) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error !== undefined || status !== 0) {
    console.error(`error: ${command} ${args.join(' ')}\n${error?.message ?? stderr}`)
    process.exit(1)
  }
  return stdout
}

const oracles = process.env.TSBPF_ORACLES || run('node', [join(root, 'tools/oracles/build.mjs')]).trim()
const scratch = mkdtempSync(join(tmpdir(), 'tsbpf-golden-'))
for (const source of sources) {
  for (const order of ['el', 'eb']) {
    const object = join(scratch, `${source}.clang-19.${order}.o`)
    run('clang-19', ['-target', `bpf${order}`, ...flags.split(' '), '-c', `${source}.bpf.c`, '-o', object])
  }
}
for (const [out, parts] of Object.entries({ linked: sources, loadable })) {
  const objects = parts.map((source) => `${source}.clang-19.el.o`)
  run(join(oracles, 'bin/bpftool'), ['gen', 'object', `${out}.bpftool.o`, ...objects], scratch)
}
const record = {
  compiler: run('clang-19', ['--version']).split('\n', 1)[0],
  flags,
  linker: run(join(oracles, 'bin/bpftool'), ['version']).split('\n').slice(0, 2).join(', '),
  order: sources,
}
writeFileSync(join(scratch, 'linked.json'), `${JSON.stringify(record, undefined, 2)}\n`)

let different = 0
for (const file of readdirSync(scratch)) {
  const same = existsSync(join(folder, file)) && readFileSync(join(folder, file)).equals(readFileSync(join(scratch, file)))
  if (same) continue
  different++
  if (check) console.error(`error: ${file} differs from what its source gives`)
  else copyFileSync(join(scratch, file), join(folder, file))
}
rmSync(scratch, { recursive: true })
console.log(`${different} files ${check ? 'differ' : 'written'}`)
process.exitCode = check && different > 0 ? 1 : 0
