/**
 * Records what the oracles say of this folder's object and of the example's: instructions as llvm-objdump prints them,
 * programs and maps as libbpf sees them, and what libbpf patches for the
 * pinned kernel. Needs clang-19, llvm-objdump-19 and what tools/oracles/build.mjs needs.
 *
 *     node packages/tsbpf/test/golden/record.mjs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const here = import.meta.dirname
const root = join(here, '..', '..', '..', '..')
const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })

run(
  'clang-19',
  '-target bpf -mcpu=v3 -O2 -g -Wall -Werror -fdebug-compilation-dir=. -c many.bpf.c -o many.bpf.o'.split(
    ' ',
  ),
  { cwd: join(here, 'objects') },
)
const oracles = join(run(process.execPath, [join(root, 'tools', 'oracles', 'build.mjs')]).trim(), 'bin')
const objdumpVersion = /LLVM version .*/.exec(run('llvm-objdump-19', ['--version']))[0]

const objects = {
  many: join(here, 'objects', 'many.bpf.o'),
  syscount: join(root, 'examples', 'syscount', 'syscount.bpf.o'),
}
const scratch = mkdtempSync(join(tmpdir(), 'tsbpf-golden-'))
const kernel = join(scratch, 'vmlinux')
writeFileSync(
  kernel,
  gunzipSync(readFileSync(join(root, 'packages/testkit/btf/vmlinux-6.12-debian-amd64.btf.gz'))),
)
for (const [name, path] of Object.entries(objects)) {
  const { libbpf, programs, maps } = JSON.parse(run(join(oracles, 'libbpf-open'), [path]))
  const functions = []
  for (const line of run('llvm-objdump-19', ['-d', path]).split('\n')) {
    const symbol = /^[0-9a-f]{16} <(.*)>:$/.exec(line)
    const insn = /^ +\d+:\t([0-9a-f ]+)\t(.*)$/.exec(line)
    if (symbol !== null) functions.push({ name: symbol[1], insns: [] })
    else if (insn !== null) functions.at(-1).insns.push([insn[1], insn[2]])
  }
  const patches = []
  for (const line of run(join(oracles, 'libbpf-core'), [path, kernel]).split('\n')) {
    const patch = /prog '(.*)': relo #\d+: patched insn #(\d+) .* (\d+) -> (\d+)$/.exec(line)
    const candidate = /matching candidate #\d+ <(.*?)> \[(\d+)\] (\w+) (\w+)/.exec(line)
    if (candidate !== null) {
      const [, kind, id, typeKind, typeName] = candidate
      patches.push({ kind, target: { id: Number(id), kind: typeKind, name: typeName } })
    }
    if (patch !== null) {
      const [, program, insn, oldValue, newValue] = patch
      Object.assign(patches.at(-1), { program, insn: Number(insn), oldValue, newValue })
    }
  }
  const golden = { tools: { 'llvm-objdump': objdumpVersion, libbpf }, programs, maps, functions, patches }
  writeFileSync(join(here, `${name}.json`), `${JSON.stringify(golden, undefined, 1)}\n`)
  console.log(`${name}: ${programs.length} programs, ${maps.length} maps, ${functions.length} functions`)
}
rmSync(scratch, { recursive: true })
