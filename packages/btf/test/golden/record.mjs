/**
 * Records the goldens of this folder: compiles the source in several ways, and keeps what bpftool says about each
 * object's types and llvm-objdump about its lines and CO-RE relocations. `objects.json` has all versions.
 *
 *     apt-get install clang-14 clang-19 llvm-19 linux-source-6.12 && node packages/btf/test/golden/record.mjs
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const run = (command, ...args) => execFileSync(command, args, { cwd: here, encoding: 'utf8', maxBuffer: 1 << 28 })
const version = (command) => run(command, '--version').match(/.*version.*/)[0].trim()
const oracles = run(process.execPath, join(here, '../../../../tools/oracles/build.mjs')).trim()
const bpftool = join(oracles, 'bin/bpftool')

const flags = ['-O2', '-g', '-mcpu=v3', '-fdebug-compilation-dir=.']
/** Object, compiler, target, source. */
const objects = [
  ['types.clang-14.el.o', 'clang-14', 'bpfel', 'types.bpf.c'],
  ['types.clang-19.el.o', 'clang-19', 'bpfel', 'types.bpf.c'],
  ['types.clang-19.eb.o', 'clang-19', 'bpfeb', 'types.bpf.c'],
  ['values.clang-19.el.o', 'clang-19', 'bpfel', 'values.bpf.c'],
  ['values.clang-19.eb.o', 'clang-19', 'bpfeb', 'values.bpf.c'],
]

const recorded = {}
for (const [object, compiler, target, source] of objects) {
  const args = ['-target', target, ...flags, '-c', source]
  run(compiler, ...args, '-o', object)
  // Without DWARF, so that what objdump says comes from BTF alone.
  run('llvm-strip-19', '-g', object)
  const types = run(bpftool, '-j', 'btf', 'dump', 'file', object, 'format', 'raw').trim()
  // Numbers beyond 2^53 become strings, so that no reader rounds them.
  const exact = types.replaceAll(/(?<=:)-?\d{16,}/g, '"$&"')
  writeFileSync(join(here, `${object}.bpftool.json`), `${exact.replaceAll('},{"id"', '},\n{"id"')}\n`)
  recorded[object] = { compiler: version(compiler), arguments: args.join(' ') }
  if (!source.startsWith('types')) continue
  const lines = run('llvm-objdump-19', '-dlr', '--no-show-raw-insn', object)
  writeFileSync(join(here, `${object}.objdump.txt`), lines.slice(lines.indexOf('Disassembly')))
}
const judges = [run(bpftool, 'version').split('\n', 2).join(', '), `llvm-objdump of ${version('llvm-objdump-19')}`]
writeFileSync(join(here, 'objects.json'), `${JSON.stringify({ judges, objects: recorded }, undefined, 2)}\n`)
