/**
 * Builds the oracles that judge our output: bpftool 7.5 and libbpf 1.5 from Debian's linux-source-6.12, and the small
 * C programs beside this file that ask libbpf. Nothing is built inside the repository. Prints the folder with `bin/`, and
 * `include/` with libbpf's headers for programs.
 *
 *     apt-get install clang-19 llvm-19 linux-source-6.12 libelf-dev zlib1g-dev make xz-utils
 *     node tools/oracles/build.mjs
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const source = process.env.TSBPF_LINUX_SOURCE ?? '/usr/src/linux-source-6.12.tar.xz'
const programs = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.c'))

if (!existsSync(source)) {
  console.error(
    `error: ${source} is not there\nhint: apt-get install linux-source-6.12, or set TSBPF_LINUX_SOURCE`,
  )
  process.exit(1)
}

const hash = createHash('sha256').update(readFileSync(source))
for (const name of [basename(import.meta.filename), ...programs]) {
  hash.update(readFileSync(join(import.meta.dirname, name)))
}
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tsbpf-oracles')
const folder = join(cache, hash.digest('hex').slice(0, 16))
if (!existsSync(folder)) build(folder)
console.log(folder)

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) {
    console.error(`${stdout}${stderr}\nerror: ${command} ${args.join(' ')} ended with ${status}`)
    process.exit(1)
  }
}

function build(target) {
  const work = mkdtempSync(join(tmpdir(), 'tsbpf-oracles-'))
  const out = join(work, 'out')
  mkdirSync(join(out, 'bin'), { recursive: true })
  try {
    const root = basename(source).replace(/\.tar\..*$/, '')
    const parts = ['tools', 'scripts', 'include/uapi', 'kernel/bpf/disasm.c', 'kernel/bpf/disasm.h']
    run('tar', ['-xf', source, '-C', work, ...parts.map((part) => `${root}/${part}`)])
    const tree = join(work, root)
    const make = join(work, 'make')
    mkdirSync(make)
    run('make', [
      '-s',
      '-j2',
      '-C',
      join(tree, 'tools/bpf/bpftool'),
      'CC=clang-19',
      'HOSTCC=clang-19',
      'CLANG=clang-19',
      'LLVM_STRIP=llvm-strip-19',
      // Without a JIT disassembler: native code is not what this bpftool is asked about.
      'feature-llvm=0',
      'feature-libbfd=0',
      'feature-libbfd-liberty=0',
      'feature-libbfd-liberty-z=0',
      `OUTPUT=${make}/`,
    ])
    cpSync(join(make, 'bpftool'), join(out, 'bin', 'bpftool'))
    cpSync(join(make, 'libbpf/include'), join(out, 'include'), { recursive: true })
    for (const name of programs) {
      run('clang-19', [
        '-O1',
        '-Wall',
        `-I${join(make, 'libbpf/include')}`,
        `-I${join(tree, 'tools/include/uapi')}`,
        join(import.meta.dirname, name),
        join(make, 'libbpf/libbpf.a'),
        '-lelf',
        '-lz',
        '-o',
        join(out, 'bin', basename(name, '.c')),
      ])
    }
    mkdirSync(cache, { recursive: true })
    try {
      renameSync(out, target)
    } catch (error) {
      if (error.code !== 'EXDEV') throw error
      cpSync(out, target, { recursive: true })
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
