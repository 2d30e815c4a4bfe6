/**
 * Builds the addon of @tsbpf/sys with plain compiler calls.
 *
 *   node tools/native/build.mjs           builds all prebuilds and writes prebuilds/manifest.json
 *   node tools/native/build.mjs --check   builds into a temporary folder and compares with what is committed
 *   node tools/native/build.mjs --asan    builds the unshipped copy with AddressSanitizer and UBSan for this machine
 *
 * Run the tests with the last one by TSBPF_NATIVE=packages/sys/native/build/tsbpf-asan.node and
 * LD_PRELOAD="$(gcc -print-file-name=libasan.so)"; see packages/sys/README.md.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const sys = join(root, 'packages', 'sys')
const native = join(sys, 'native')
const prebuilds = join(sys, 'prebuilds')

const common = [
  '-std=c11',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-parameter',
  '-fPIC',
  '-fvisibility=hidden',
  '-ffile-prefix-map=.=.',
  '-shared',
]
/** No library at all, so that one binary serves glibc and musl; the same bytes on every build. */
const shipped = [
  ...common,
  '-O2',
  '-ffreestanding',
  '-fno-tree-loop-distribute-patterns',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-nostdlib',
  '-Wl,-z,relro,-z,now,-z,nodelete,-z,noexecstack',
  '-Wl,--build-id=none',
  '-s',
]
const targets = [
  { platform: 'linux-x64', compiler: 'gcc', flags: shipped },
  { platform: 'linux-arm64', compiler: 'aarch64-linux-gnu-gcc', flags: [...shipped, '-mno-outline-atomics'] },
]
const asan = [
  ...common,
  '-O1',
  '-g',
  '-DTSBPF_HOSTED',
  '-DTSBPF_CHECKED',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
]

const isShippedSource = (name) => /\.[ch]$/.test(name) && name !== 'check.c'

/** Files that go into the build, in an order that does not depend on the folder. */
function sources() {
  return readdirSync(native).filter(isShippedSource).sort()
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

function sourceDigest() {
  const hash = createHash('sha256')
  for (const name of sources()) {
    const bytes = readFileSync(join(native, name))
    hash.update(`${name} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

function versionOf(compiler) {
  try {
    return execFileSync(compiler, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n')[0]
  } catch {
    return undefined
  }
}

/** Compiler and linker: both decide what the bytes are. */
function toolsOf(compiler) {
  const compilerVersion = versionOf(compiler)
  return compilerVersion === undefined
    ? undefined
    : `${compilerVersion}; ${versionOf(compiler.replace(/gcc$/, 'ld'))}`
}

/** Where napi's headers lie, and their version: they are part of what is built. */
function headers() {
  const require = createRequire(join(root, 'package.json'))
  const file = require.resolve('node-api-headers/package.json')
  return { include: join(dirname(file), 'include'), version: JSON.parse(readFileSync(file, 'utf8')).version }
}

function compile(compiler, flags, files, output) {
  mkdirSync(dirname(output), { recursive: true })
  execFileSync(compiler, [...flags, '-isystem', headers().include, ...files, '-o', `${output}.new`], {
    cwd: native,
    stdio: 'inherit',
    env: { ...process.env, LC_ALL: 'C', SOURCE_DATE_EPOCH: '0' },
  })
  // Processes that run meanwhile keep the file that they have mapped.
  renameSync(`${output}.new`, output)
}

function compileShipped(target, output) {
  compile(
    target.compiler,
    target.flags,
    sources().filter((name) => name.endsWith('.c')),
    output,
  )
}

function build() {
  const binaries = {}
  for (const target of targets) {
    const file = `${target.platform}/tsbpf.node`
    const output = join(prebuilds, file)
    compileShipped(target, output)
    binaries[file] = {
      sha256: sha256(readFileSync(output)),
      bytes: statSync(output).size,
      compiler: toolsOf(target.compiler),
      flags: target.flags,
    }
  }
  const manifest = {
    sources: { sha256: sourceDigest(), files: sources() },
    nodeApiHeaders: headers().version,
    binaries,
  }
  writeFileSync(join(prebuilds, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  for (const [file, { sha256: digest, bytes }] of Object.entries(binaries))
    console.log(`${digest}  ${file} (${bytes} bytes)`)
}

function check() {
  const strict = process.env.CI === 'true'
  const manifest = JSON.parse(readFileSync(join(prebuilds, 'manifest.json'), 'utf8'))
  const problems = []
  const digest = sourceDigest()
  if (manifest.sources.sha256 !== digest)
    problems.push(`the sources are not those of the manifest: ${digest}`)
  const temporary = mkdtempSync(join(tmpdir(), 'tsbpf-native-'))
  try {
    for (const target of targets) {
      const file = `${target.platform}/tsbpf.node`
      const recorded = manifest.binaries[file]
      const committed = readFileSync(join(prebuilds, file))
      if (recorded === undefined || sha256(committed) !== recorded.sha256) {
        problems.push(`${file} is not the binary of the manifest`)
        continue
      }
      const version = toolsOf(target.compiler)
      if (version !== recorded.compiler) {
        const note = `${file}: built by ${recorded.compiler}, here is ${version ?? `no ${target.compiler}`}: not compared`
        if (strict) problems.push(note)
        else console.log(note)
        continue
      }
      const output = join(temporary, file)
      compileShipped(target, output)
      if (!readFileSync(output).equals(committed))
        problems.push(`${file} differs from a build of its sources`)
      else console.log(`${file}: same bytes (${version})`)
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  for (const problem of problems) console.error(`native: ${problem}`)
  if (problems.length > 0) {
    console.error(
      'hint: run node tools/native/build.mjs with the compilers of the manifest, and commit the result',
    )
    process.exitCode = 1
  }
}

function buildAsan() {
  const output = join(native, 'build', 'tsbpf-asan.node')
  const files = readdirSync(native)
    .filter((name) => name.endsWith('.c'))
    .sort()
  compile('gcc', asan, files, output)
  console.log(output)
}

const [mode] = process.argv.slice(2)
if (mode === '--check') check()
else if (mode === '--asan') buildAsan()
else if (mode === undefined) build()
else {
  console.error('usage: node tools/native/build.mjs [--check | --asan]')
  process.exitCode = 2
}
