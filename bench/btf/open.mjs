/**
 * What opening a kernel's BTF and finding ten structs costs, cold (a fresh process each time) and warm, in milliseconds:
 * `node bench/btf/open.mjs [FILE]`, after the build. Reading the file is counted apart.
 *
 * libbpf's figures include reading the file, ours do not (`read` is apart: a loader maps it in 0.2 ms where it can).
 *
 * With PEER set to the program made of `libbpf-open.c`, both run in turn and the ratio of the medians is printed:
 *
 *     cc -O2 bench/btf/libbpf-open.c -o /tmp/libbpf-open -lbpf
 *     PEER=/tmp/libbpf-open node bench/btf/open.mjs
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseBtf } from '@tsbpf/btf'

const names = 'task_struct sk_buff file sock inode dentry mm_struct iphdr list_head net_device'.split(' ')
const file = process.argv[2] ?? '/sys/kernel/btf/vmlinux'
const rounds = Number(process.env.ROUNDS ?? 15)

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

function once(bytes) {
  const started = performance.now()
  const btf = parseBtf(bytes)
  const opened = performance.now()
  for (const name of names)
    if (btf.find(name, 'struct') === undefined) throw new Error(`${name} is not found`)
  return { open: opened - started, find: performance.now() - opened }
}

if (process.env.CHILD !== undefined) {
  const started = performance.now()
  const bytes = readFileSync(file)
  const read = performance.now() - started
  const [cold, ...rest] = Array.from({ length: 10 }, () => once(bytes))
  const warm = rest.slice(3).map((row) => row.open + row.find)
  console.log(
    JSON.stringify({
      read,
      coldOpen: cold.open,
      coldFind: cold.find,
      cold: cold.open + cold.find,
      warm: median(warm),
    }),
  )
} else {
  const results = new Map()
  const keep = (who, row) => {
    for (const [metric, value] of Object.entries(row)) {
      const key = `${who} ${metric}`
      results.set(key, [...(results.get(key) ?? []), value])
    }
  }
  for (let round = 0; round < rounds; round++) {
    const env = { ...process.env, CHILD: '1' }
    keep(
      'tsbpf',
      JSON.parse(execFileSync(process.execPath, [import.meta.filename, file], { env, encoding: 'utf8' })),
    )
    if (process.env.PEER)
      keep('libbpf', JSON.parse(execFileSync(process.env.PEER, [file], { encoding: 'utf8' })))
  }
  for (const [key, values] of results) {
    console.log(`${key}: ${median(values).toFixed(2)} ms (least ${Math.min(...values).toFixed(2)})`)
  }
  for (const metric of ['cold', 'warm']) {
    const peer = results.get(`libbpf ${metric}`)
    if (peer)
      console.log(`ratio ${metric}: ${(median(results.get(`tsbpf ${metric}`)) / median(peer)).toFixed(2)}`)
  }
}
