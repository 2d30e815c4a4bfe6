/**
 * What printing a whole kernel's BTF as C costs beside bpftool, in milliseconds:
 *
 *     PEER="$(node tools/oracles/build.mjs)/bin/bpftool" node bench/btf-print/print-c.mjs [FILE]     after the build
 *
 * Each round runs both in turn, in processes of their own that write to a file, and the ratios of the medians and of
 * the least are printed. bpftool's time is that of its process; ours is without Node's start: `cold` begins when the
 * module is loaded, and reads, parses, prints and writes once; `warm` is the median of later times in that process.
 * `cold thread` and `bpftool processor` are processor time, which other work on the machine changes less: ours is that
 * of the thread that prints, beside which the engine compiles in others.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseBtf, printC, printRaw } from '@tsbpf/btf'

const file = process.argv[2] ?? '/sys/kernel/btf/vmlinux'
const rounds = Number(process.env.ROUNDS ?? 15)
const formats = {
  c: (btf) => printC(btf),
  unsorted: (btf) => printC(btf, { order: 'id' }),
  raw: (btf) => printRaw(btf),
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

const cell = new Int32Array(new SharedArrayBuffer(4))

/** Processor time of this thread in milliseconds. */
function threadTime() {
  // The kernel adds up what a thread has run when it stops, so it waits for a moment.
  Atomics.wait(cell, 0, 0, 0.01)
  const [run] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')
  return Number(run) / 1e6
}

/** Processor time of all children that have ended, in milliseconds; the kernel counts it in hundredths of a second. */
function childrenTime() {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

function once(format, output) {
  const started = performance.now()
  const out = openSync(output, 'w')
  for (const chunk of formats[format](parseBtf(readFileSync(file)))) writeSync(out, chunk)
  closeSync(out)
  return performance.now() - started
}

if (process.env.CHILD !== undefined) {
  const [format, output] = process.env.CHILD.split(' ')
  const before = threadTime()
  const cold = once(format, output)
  const thread = threadTime() - before
  const warm = Array.from({ length: 8 }, () => once(format, output)).slice(3)
  console.log(JSON.stringify({ cold, thread, warm: median(warm) }))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-bench-'))
  const output = join(folder, 'out')
  try {
    for (const format of Object.keys(formats)) {
      const results = { cold: [], 'cold thread': [], warm: [], bpftool: [], 'bpftool processor': [] }
      for (let round = 0; round < rounds; round++) {
        const env = { ...process.env, CHILD: `${format} ${output}` }
        const text = execFileSync(process.execPath, [import.meta.filename, file], { env, encoding: 'utf8' })
        const { cold, thread, warm } = JSON.parse(text)
        results.cold.push(cold)
        results['cold thread'].push(thread)
        results.warm.push(warm)
        if (process.env.PEER === undefined) continue
        const out = openSync(output, 'w')
        const args = format === 'unsorted' ? ['format', 'c', 'unsorted'] : ['format', format]
        const before = childrenTime()
        const started = performance.now()
        const { status } = spawnSync(process.env.PEER, ['btf', 'dump', 'file', file, ...args], {
          stdio: ['ignore', out, 'inherit'],
        })
        results.bpftool.push(performance.now() - started)
        results['bpftool processor'].push(childrenTime() - before)
        closeSync(out)
        if (status !== 0) throw new Error(`bpftool ended with ${status}`)
      }
      for (const [who, values] of Object.entries(results)) {
        if (values.length === 0) continue
        console.log(
          `${format} ${who}: ${median(values).toFixed(1)} ms (least ${Math.min(...values).toFixed(1)})`,
        )
      }
      if (results.bpftool.length === 0) continue
      for (const [who, peer] of [
        ['cold', 'bpftool'],
        ['cold thread', 'bpftool processor'],
        ['warm', 'bpftool'],
      ]) {
        const [ours, theirs] = [results[who], results[peer]]
        const least = Math.min(...ours) / Math.min(...theirs)
        const ratio = median(ours) / median(theirs)
        console.log(`${format} ratio ${who}: ${ratio.toFixed(2)} (least ${least.toFixed(2)})`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
