/**
 * Builds the golden objects from the C sources beside this file, and records what libbpf makes of each.
 *
 *     node packages/object/test/golden/record.mjs             build and record
 *     node packages/object/test/golden/record.mjs --check     change nothing; fail where something would change
 *
 * With TSBPF_CORPUS set, what libbpf makes of the objects of the corpus is recorded too; those stay outside the repository.
 *
 * Needs bpf-gcc (Debian's gcc-bpf), clang-22, clang-19 and clang-14 (`clang-14` on Debian 12 is `clang`), and the oracle libbpf-open: `$LIBBPF_OPEN`, else
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
const gcc = '-mcpu=v3 -O2 -gbtf -Wall -Wno-unused-variable -Wno-unused-function -Wno-unused-const-variable'
const jumps = `${common.replace('v3', 'v4')} ${debug} -mllvm -bpf-min-jump-table-entries=4`

const variants = [
  { name: 'clang-19.el', compiler: 'clang-19', flags: `-target bpfel ${common} ${debug}` },
  { name: 'clang-19.eb', compiler: 'clang-19', flags: `-target bpfeb ${common} ${debug}`, twin: 'clang-19.el' },
  { name: 'clang-14.el', compiler: 'clang-14', flags: `-target bpfel ${common} ${debug}` },
  { name: 'nobtf.el', compiler: 'clang-19', flags: `-target bpfel ${common}`, only: ['data', 'legacy'] },
  // Tables for switches of any size; cpu v4 jumps by them. libbpf 1.5 knows neither: not judged.
  { name: 'clang-22.el', compiler: 'clang-22', flags: `-target bpfel ${jumps}`, only: ['jump-table'] },
  { name: 'clang-22.eb', compiler: 'clang-22', flags: `-target bpfeb ${jumps}`, only: ['jump-table'], twin: 'clang-22.el' },
  // GCC numbers sections and symbols otherwise than LLVM, and writes its own BTF.
  { name: 'gcc-12.el', compiler: 'bpf-gcc', flags: `-mlittle-endian ${gcc}`, only: ['gcc', 'data', 'struct-ops', 'in-section'] },
  { name: 'gcc-12.eb', compiler: 'bpf-gcc', flags: `-mbig-endian ${gcc}`, only: ['gcc', 'struct-ops'], twin: 'gcc-12.el' },
]

/** Sources that not every compiler takes: address spaces are newer than clang 14, jump tables than clang 19. */
const onlyWith = { arena: /^clang-19/, 'jump-table': /^clang-22/, gcc: /^gcc-12/ }

function run(command, args, cwd = folder, input = undefined) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, input, encoding: 'utf8', maxBuffer: 1 << 28 })
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
    if (onlyWith[source]?.test(name) === false) continue
    const object = `${source}.${name}.o`
    // GCC writes the absolute path of what it compiles into BTF, so it reads from a pipe, in the root folder.
    const piped = compiler === 'bpf-gcc'
    const input = piped ? [`-I${folder}`, '-xc', '-c', '-'] : ['-c', `${source}.bpf.c`]
    const text = piped ? readFileSync(join(folder, `${source}.bpf.c`)) : undefined
    run(compiler, [...flags.split(' '), ...input, '-o', join(scratch, object)], piped ? '/' : folder, text)
    const said = twin === undefined ? `${source}.${name}.libbpf.json` : undefined
    if (said !== undefined) writeFileSync(join(scratch, said), run(oracle, [object], scratch))
    objects[object] = { sha256: sha256(join(scratch, object)), libbpf: said ?? `${source}.${twin}.libbpf.json` }
  }
}
const compilers = Object.fromEntries(
  ['clang-14', 'clang-19', 'clang-22', 'bpf-gcc'].map((compiler) => [compiler, run(compiler, ['--version']).split('\n', 1)[0]]),
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
