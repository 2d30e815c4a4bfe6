/**
 * Compiles the objects in `bpf/` and records what libbpf makes of their CO-RE relocations; see bpf/README.md.
 *
 *   node packages/core-reloc/test/golden/record.mjs [--check]
 *
 * libbpf is asked twice: `each` has one load for each program, so that a failure hides nothing; `all` has one load for
 * the object, where relocations of one type influence each other, and ends at the first failure.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseLog } from './parse-log.mjs'

const here = import.meta.dirname
const root = join(here, '../../../..')
const check = process.argv.includes('--check')
const clang = process.env.CLANG ?? 'clang-19'
const flags = ['-target', 'bpf', '-mcpu=v3', '-O2', '-g', '-Wall', '-Werror', '-fdebug-compilation-dir=.']
const objects = ['local', 'kernel', 'pruning']
const made = ['target-moved', 'target-flavours', 'target-pruning']
const pairs = [
  ['local', 'target-moved'],
  ['local', 'target-flavours'],
  ['local', 'local'],
  ['pruning', 'target-pruning'],
  ['kernel', 'kernel'],
  ['kernel', 'vmlinux-6.12-debian-amd64'],
]
/** Pairs of which none fails, which bpftool's `gen min_core_btf` refuses. */
const minimal = [
  ['kernel', 'vmlinux-6.12-debian-amd64'],
  ['pruning', 'target-pruning'],
]
let different = 0

function run(command, args, cwd = here) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (error || status !== 0) {
    console.error(`error: ${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
    process.exit(1)
  }
  return stdout
}

function keep(path, bytes) {
  if (!check) return writeFileSync(path, bytes)
  let known
  try {
    known = readFileSync(path)
  } catch {
    known = Buffer.alloc(0)
  }
  if (Buffer.compare(known, Buffer.from(bytes)) === 0) return
  console.error(`error: ${path.slice(root.length + 1)} is not what ${clang} and libbpf give`)
  different++
}

const work = mkdtempSync(join(tmpdir(), 'tsbpf-core-'))
try {
  const oracles = run(process.execPath, [join(root, 'tools/oracles/build.mjs')], root).trim()
  const libbpf = join(oracles, 'bin/libbpf-core')
  const files = new Map()
  for (const name of objects) {
    const out = join(work, `${name}.bpf.o`)
    run(clang, [...flags, '-c', `${name}.bpf.c`, '-o', out], join(here, 'bpf'))
    keep(join(here, `bpf/${name}.bpf.o`), readFileSync(out))
    files.set(name, out)
  }
  for (const name of made) {
    const object = join(work, `${name}.o`)
    const btf = join(work, `${name}.btf`)
    run(clang, [...flags, '-c', `${name}.c`, '-o', object], join(here, 'bpf'))
    run('llvm-objcopy-19', [`--dump-section=.BTF=${btf}`, object, join(work, 'none')])
    keep(join(here, `bpf/${name}.btf`), readFileSync(btf))
    files.set(name, btf)
  }
  const kernel = 'vmlinux-6.12-debian-amd64'
  files.set(kernel, join(work, `${kernel}.btf`))
  writeFileSync(
    files.get(kernel),
    gunzipSync(readFileSync(join(root, `packages/testkit/btf/${kernel}.btf.gz`))),
  )

  if (!check) for (const name of ['libbpf', 'bpftool']) mkdirSync(join(here, name), { recursive: true })
  let version = ''
  for (const [object, target] of pairs) {
    const each = parseLog(run(libbpf, ['--each', files.get(object), files.get(target)]))
    const all = parseLog(run(libbpf, [files.get(object), files.get(target)]))
    version = each.version
    const rows = (log) => log.rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')
    keep(
      join(here, `libbpf/${object}-on-${target}.json`),
      `{\n  "object": "${object}",\n  "target": "${target}",\n  "each": [\n${rows(each)}\n  ],\n  "all": [\n${rows(all)}\n  ]\n}\n`,
    )
    if (!check) console.log(`${object} on ${target}: ${each.rows.length} relocations`)
  }
  const bpftool = join(oracles, 'bin/bpftool')
  for (const [object, target] of minimal) {
    const out = join(work, 'min.btf')
    run(bpftool, ['gen', 'min_core_btf', files.get(target), out, files.get(object)])
    const { types } = JSON.parse(run(bpftool, ['-j', 'btf', 'dump', 'file', out]))
    const rows = types.map((type) => {
      const parts = type.kind === 'STRUCT' || type.kind === 'UNION' ? type.members : []
      return `    ${JSON.stringify([`${type.kind.toLowerCase()} ${type.name}`, ...parts.map(({ name }) => name)])}`
    })
    const head = `"object": "${object}",\n  "target": "${target}",\n  "bytes": ${statSync(out).size}`
    keep(join(here, `bpftool/${object}-on-${target}.json`), `{\n  ${head},\n  "types": [\n${rows.join(',\n')}\n  ]\n}\n`)
  }
  const compiler = run(clang, ['--version']).split('\n', 1)[0]
  const recorded = { libbpf: `${version}, linux-source-6.12`, compiler, flags: flags.join(' ') }
  keep(join(here, 'recorded.json'), `${JSON.stringify(recorded, undefined, 2)}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = different === 0 ? 0 : 1
