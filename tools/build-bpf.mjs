/**
 * Builds the examples' BPF programs: each `examples/<name>/<file>.bpf.c` into the object beside it, which is
 * committed, so that nobody needs a compiler. `examples/bpf-objects.json` records compiler and hashes.
 *
 *   node tools/build-bpf.mjs            build and record
 *   node tools/build-bpf.mjs --check    change nothing; fail where a committed object is not what its source gives
 *
 * The compiler is `$CLANG`, else clang-19, else clang. An object depends on the compiler's version, so the check
 * rebuilds only with the recorded one; with another, hashes alone are compared, and under CI=true that is a failure.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const examples = join(root, 'examples')
const record = join(examples, 'bpf-objects.json')

/** Names are relative and the compilation folder is `.`, so that the bytes do not depend on where the clone lies. */
const flags = '-target bpf -mcpu=v3 -O2 -g -Wall -Werror -fdebug-compilation-dir=.'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

function compilerVersion(compiler) {
  const { status, stdout } = spawnSync(compiler, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n', 1)[0].trim() : undefined
}

function findCompiler() {
  for (const name of process.env.CLANG ? [process.env.CLANG] : ['clang-19', 'clang']) {
    const version = compilerVersion(name)
    if (version !== undefined) return { name, version }
  }
  return undefined
}

function sources() {
  return readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'dist' && entry.name !== 'node_modules')
    .flatMap((entry) =>
      readdirSync(join(examples, entry.name))
        .filter((file) => file.endsWith('.bpf.c'))
        .map((file) => ({ folder: entry.name, file, object: file.replace(/c$/, 'o') })),
    )
    .sort((a, b) => (`${a.folder}/${a.file}` < `${b.folder}/${b.file}` ? -1 : 1))
}

function compile(compiler, { folder, file }, out) {
  const { status, stderr, error } = spawnSync(compiler.name, [...flags.split(' '), '-c', file, '-o', out], {
    cwd: join(examples, folder),
    encoding: 'utf8',
  })
  if (error !== undefined || status !== 0) {
    fail(`${compiler.name} cannot compile examples/${folder}/${file}`, error?.message ?? stderr)
  }
  return readFileSync(out)
}

function fail(message, detail) {
  console.error(`error: ${message}`)
  if (detail) console.error(detail.trimEnd())
  process.exit(1)
}

function build() {
  const compiler = findCompiler()
  if (compiler === undefined) fail('no clang is found', 'hint: apt-get install clang-19, or set CLANG')
  const objects = {}
  for (const source of sources()) {
    const bytes = compile(compiler, source, join(examples, source.folder, source.object))
    objects[`${source.folder}/${source.object}`] = {
      sha256: sha256(bytes),
      sourceSha256: sha256(readFileSync(join(examples, source.folder, source.file))),
    }
    console.log(`examples/${source.folder}/${source.object}: ${bytes.length} bytes`)
  }
  writeFileSync(record, `${JSON.stringify({ compiler: compiler.version, flags, objects }, undefined, 2)}\n`)
}

function check() {
  const recorded = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : { objects: {} }
  const problems = []
  const all = sources()
  if (recorded.flags !== flags) problems.push('the compiler flags have changed')
  for (const name of Object.keys(recorded.objects)) {
    if (!all.some((s) => `${s.folder}/${s.object}` === name))
      problems.push(`${name} is recorded, but has no source`)
  }
  for (const { folder, file, object } of all) {
    const name = `${folder}/${object}`
    const row = recorded.objects[name]
    const path = join(examples, folder, object)
    if (row === undefined || !existsSync(path)) problems.push(`${name} has not been built`)
    else {
      if (sha256(readFileSync(path)) !== row.sha256) problems.push(`${name} is not the recorded object`)
      if (sha256(readFileSync(join(examples, folder, file))) !== row.sourceSha256) {
        problems.push(`${folder}/${file} has changed since its object was built`)
      }
    }
  }

  const compiler = findCompiler()
  const same = compiler !== undefined && compiler.version === recorded.compiler
  if (same) {
    const scratch = mkdtempSync(join(tmpdir(), 'tsbpf-bpf-'))
    try {
      for (const source of all) {
        const bytes = compile(compiler, source, join(scratch, 'out.o'))
        if (sha256(bytes) !== recorded.objects[`${source.folder}/${source.object}`]?.sha256) {
          problems.push(`${source.folder}/${source.object} differs from what its source gives`)
        }
      }
    } finally {
      rmSync(scratch, { recursive: true })
    }
  }

  if (problems.length > 0) fail(problems.join('\nerror: '), 'hint: run node tools/build-bpf.mjs')
  if (same) console.log(`${all.length} BPF objects are what ${recorded.compiler} makes of their sources`)
  else {
    const found = compiler === undefined ? 'no clang is found' : `this is ${compiler.version}`
    const message = `not rebuilt: the objects were built by ${recorded.compiler}, ${found}`
    if (process.env.CI === 'true')
      fail(message, 'hint: apt-get install clang-19, or build and commit with another one')
    console.log(`hashes of ${all.length} BPF objects are as recorded; ${message}`)
  }
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--check')
if (unknown.length > 0) {
  console.error(`error: unknown argument ${unknown[0]}\nusage: node tools/build-bpf.mjs [--check]`)
  process.exit(2)
}
if (process.argv.includes('--check')) check()
else build()
