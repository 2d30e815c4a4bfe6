/**
 * What opening and loading an object costs, in milliseconds: `node bench/loader/load.mjs [PEER]` as root, after the build,
 * with clang-19.
 *
 * - 31 CO-RE relocations on 6 structs, two maps and globals (load.bpf.c): `cold`, the first load in its process, the
 *   kernel's BTF to be opened; `open`, the first with the kernel's BTF opened before; `again`, the median of ten more.
 * - 20 programs and 15 maps: the time outside bpf(2), likewise.
 * - The command line: from the start of `tsbpf run` to its first line, which says what is attached, beside a process of
 *   node that does nothing.
 *
 * Each round starts new processes. With TSBPF_ORACLES set, libbpf 1.5 does the same in turn (`libbpf-load` of
 * tools/oracles); PEER is another program that prints `{"metric":"core_open_load","median"}` for `PEER core OBJ`, such as
 * one of cilium/ebpf. Ratios are of medians; ROUNDS says how many rounds, 15 unless given.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSync, openKernelBtf } from '@tsbpf/loader'
import { parseObject } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 15)
const peer = process.argv[2]
const oracles = process.env.TSBPF_ORACLES
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const { execPath } = process
const command = join(import.meta.dirname, '../../packages/tsbpf/bin/tsbpf.js')

/** One load: milliseconds in all, and without those in bpf(2). */
function once(file, sys, kernelBtf) {
  let inBpf = 0
  const timed = {
    ...sys,
    bpf(...given) {
      const entered = performance.now()
      const result = sys.bpf(...given)
      inBpf += performance.now() - entered
      return result
    },
  }
  const started = performance.now()
  const loaded = loadSync(parseObject(readFileSync(file)), { sys: timed, kernelBtf })
  const all = performance.now() - started
  loaded.dispose()
  return { all, user: all - inBpf }
}

function child(file, mode) {
  const sys = nativeSys()
  if (mode === 'cold') {
    const { all, user } = once(file, sys)
    return { cold: all, 'cold user': user }
  }
  const { btf } = openKernelBtf(sys)
  const { all, user } = once(file, sys, btf)
  const more = Array.from({ length: 10 }, () => once(file, sys, btf))
  const again = (which) => median(more.map((one) => one[which]))
  return { open: all, 'open user': user, again: again('all'), 'again user': again('user') }
}

/** 15 maps and 20 programs that use them all in turn, without relocations to the kernel. */
function manySource() {
  const lines = [
    '#define SEC(name) __attribute__((section(name), used))',
    'static void *(*const map_lookup_elem)(void *map, const void *key) = (void *)1;',
  ]
  for (let i = 0; i < 15; i++) {
    lines.push(
      `struct value_${i} { unsigned long long count, sum[${i + 1}]; };`,
      `struct { int (*type)[${1 + (i % 2)}]; int (*max_entries)[64]; int *key; struct value_${i} *value; } map_${i} SEC(".maps");`,
    )
  }
  for (let i = 0; i < 20; i++) {
    const body = [0, 1, 2].map((step) => {
      const map = (i + 5 * step) % 15
      return `  struct value_${map} *v${step} = map_lookup_elem(&map_${map}, &key);\n  if (v${step}) v${step}->count++;`
    })
    lines.push(
      `SEC("socket") int program_${i}(void *ctx)\n{\n  int key = ${i};\n${body.join('\n')}\n  return 0;\n}`,
    )
  }
  return `${lines.join('\n')}\nchar LICENSE[] SEC("license") = "GPL";\n`
}

/** Milliseconds from the start of a process to its first output, or to its end where it prints nothing. */
function untilOutput(argv) {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const process = spawn(execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    let took
    process.stdout.on('data', () => (took ??= performance.now() - started))
    process.on('error', reject)
    process.on('close', (code) => {
      if (code === 0) resolve(took ?? performance.now() - started)
      else reject(new Error(`${argv.join(' ')} ended with ${code}`))
    })
  })
}

const times = new Map()
const keep = (subject, who, row) => {
  for (const [metric, value] of Object.entries(row)) {
    const key = `${subject}: ${who} ${metric}`
    times.set(key, [...(times.get(key) ?? []), value])
  }
}
const read = (text) => JSON.parse(text)
const tell = (label, key, other, target) => {
  if (!times.has(key) || !times.has(other)) return
  const ratio = median(times.get(key)) / median(times.get(other))
  console.log(`${label}: ${ratio.toFixed(2)} (target ${target})`)
}

if (process.env.CHILD === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-bench-'))
  try {
    const compile = (source, name) => {
      const object = join(folder, `${name}.o`)
      execFileSync('clang-19', ['-target', 'bpf', '-O2', '-g', '-mcpu=v3', '-c', source, '-o', object])
      return object
    }
    writeFileSync(join(folder, 'many.bpf.c'), manySource())
    const core = compile(join(import.meta.dirname, 'load.bpf.c'), 'core')
    const many = compile(join(folder, 'many.bpf.c'), 'many')
    const empty = join(folder, 'empty.mjs')
    writeFileSync(empty, '')
    for (let round = 0; round < rounds; round++) {
      for (const [subject, file] of [
        ['core', core],
        ['many', many],
      ]) {
        for (const mode of ['cold', 'open']) {
          const env = { ...process.env, CHILD: mode }
          const argv = [import.meta.filename, file]
          keep(subject, 'tsbpf', read(execFileSync(execPath, argv, { env, encoding: 'utf8' })))
        }
        if (oracles) {
          const libbpf = join(oracles, 'bin/libbpf-load')
          keep(subject, 'libbpf', read(execFileSync(libbpf, [file], { encoding: 'utf8' })))
        }
      }
      if (peer) {
        const env = { ...process.env, ROUNDS: '1', COLD: '1' }
        const lines = execFileSync(peer, ['core', core], { env, encoding: 'utf8' }).trim().split('\n')
        const { median: cold } = lines.map(read).find(({ metric }) => metric === 'core_open_load')
        keep('core', 'peer', { cold })
      }
      keep('process', 'node', { empty: await untilOutput([empty]) })
      const run = ['run', core, '--json', '--duration', '0.001']
      keep('process', 'tsbpf', { run: await untilOutput([command, ...run]) })
    }
    for (const [key, values] of times) {
      const least = Math.min(...values).toFixed(2)
      console.log(`${key.padEnd(28)} ${median(values).toFixed(2).padStart(8)} ms (least ${least})`)
    }
    tell('cold / libbpf cold', 'core: tsbpf cold', 'core: libbpf cold', 1)
    tell('cold / peer cold', 'core: tsbpf cold', 'core: peer cold', "0.15 of cilium/ebpf 0.11's")
    tell('kernel BTF open / libbpf cold', 'core: tsbpf open', 'core: libbpf cold', 0.2)
    tell('kernel BTF open, again / libbpf again', 'core: tsbpf again', 'core: libbpf again', 0.2)
    tell('20 programs, user time, cold / libbpf', 'many: tsbpf open user', 'many: libbpf cold user', 1)
    tell('20 programs, user time, again / libbpf', 'many: tsbpf again user', 'many: libbpf again user', 1)
    const more = median(times.get('process: tsbpf run')) - median(times.get('process: node empty'))
    console.log(`tsbpf run until attached - node: ${more.toFixed(1)} ms (target 25)`)
  } finally {
    rmSync(folder, { recursive: true })
  }
} else {
  console.log(JSON.stringify(child(process.argv[2], process.env.CHILD)))
}
