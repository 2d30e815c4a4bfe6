/**
 * What printing a whole kernel's BTF as C costs beside bpftool, in milliseconds:
 *
 *     PEER="$(node tools/oracles/build.mjs)/bin/bpftool" node bench/btf-print/print-c.mjs [FILE]     after the build
 *
 * Each round runs both in turn, in processes of their own that write to a file, and the ratio of the medians is
 * printed. bpftool's time is that of its process; ours is without Node's start: `cold` begins when the module is
 * loaded, and reads, parses, prints and writes once; `warm` is the median of later times in that process.
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

function once(format, output) {
  const started = performance.now()
  const out = openSync(output, 'w')
  for (const chunk of formats[format](parseBtf(readFileSync(file)))) writeSync(out, chunk)
  closeSync(out)
  return performance.now() - started
}

if (process.env.CHILD !== undefined) {
  const [format, output] = process.env.CHILD.split(' ')
  const cold = once(format, output)
  const warm = Array.from({ length: 12 }, () => once(format, output)).slice(4)
  console.log(JSON.stringify({ cold, warm: median(warm) }))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-bench-'))
  const output = join(folder, 'out')
  try {
    for (const format of Object.keys(formats)) {
      const results = { cold: [], warm: [], bpftool: [] }
      for (let round = 0; round < rounds; round++) {
        const env = { ...process.env, CHILD: `${format} ${output}` }
        const text = execFileSync(process.execPath, [import.meta.filename, file], { env, encoding: 'utf8' })
        const { cold, warm } = JSON.parse(text)
        results.cold.push(cold)
        results.warm.push(warm)
        if (process.env.PEER === undefined) continue
        const out = openSync(output, 'w')
        const args = format === 'unsorted' ? ['format', 'c', 'unsorted'] : ['format', format]
        const started = performance.now()
        const { status } = spawnSync(process.env.PEER, ['btf', 'dump', 'file', file, ...args], {
          stdio: ['ignore', out, 'inherit'],
        })
        results.bpftool.push(performance.now() - started)
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
      for (const who of ['cold', 'warm']) {
        console.log(`${format} ratio ${who}: ${(median(results[who]) / median(results.bpftool)).toFixed(2)}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
