/**
 * What opening a kernel's BTF and finding ten structs costs, cold (a fresh process each time) and warm, in milliseconds,
 * and the anonymous memory that the first time takes, in megabytes:
 *
 *     PEER="$(node tools/oracles/build.mjs)/bin/libbpf-find" node bench/btf/open.mjs [FILE]     after the build
 *
 * Node's start is not counted. The file is mapped, or read where the kernel does not let it be mapped; like libbpf's,
 * cold and warm figures include that. Both run in turn, and the ratios of the medians and of the least are printed.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseBtf } from '@tsbpf/btf'
import { mapFile } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

const names = 'task_struct sk_buff file sock inode dentry mm_struct iphdr list_head net_device'.split(' ')
const file = process.argv[2] ?? '/sys/kernel/btf/vmlinux'
const rounds = Number(process.env.ROUNDS ?? 15)

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

function once(sys) {
  const started = performance.now()
  const { bytes, mapped, dispose } = mapFile(sys, file)
  const read = performance.now()
  const btf = parseBtf(bytes)
  const opened = performance.now()
  for (const name of names)
    if (btf.find(name, 'struct') === undefined) throw new Error(`${name} is not found`)
  const found = performance.now()
  const figures = {
    read: read - started,
    open: opened - read,
    find: found - opened,
    total: found - started,
  }
  return { figures, mapped, dispose }
}

/** Anonymous memory of this process in megabytes. */
function anonymous() {
  const [, kilobytes] = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  return Number(kilobytes) / 1000
}

if (process.env.CHILD !== undefined) {
  const sys = nativeSys()
  anonymous()
  const before = anonymous()
  const { figures: first, mapped, dispose } = once(sys)
  const memory = anonymous() - before
  dispose()
  const rest = Array.from({ length: 9 }, () => {
    const { figures, dispose } = once(sys)
    dispose()
    return figures.total
  })
  const { read, open, find, total } = first
  console.log(JSON.stringify({ mapped, memory, read, open, find, cold: total, warm: median(rest.slice(3)) }))
} else {
  const results = new Map()
  const keep = (who, row) => {
    for (const [metric, value] of Object.entries(row)) {
      const key = `${who} ${metric}`
      results.set(key, [...(results.get(key) ?? []), value])
    }
  }
  let how = ''
  for (let round = 0; round < rounds; round++) {
    const env = { ...process.env, CHILD: '1' }
    const child = execFileSync(process.execPath, [import.meta.filename, file], { env, encoding: 'utf8' })
    const { mapped, ...figures } = JSON.parse(child)
    how = mapped ? 'mapped' : 'read'
    keep('tsbpf', figures)
    if (process.env.PEER)
      keep('libbpf', JSON.parse(execFileSync(process.env.PEER, [file], { encoding: 'utf8' })))
  }
  console.log(`${file} is ${how}`)
  for (const [key, values] of results) {
    const unit = key.endsWith('memory') ? 'MB' : 'ms'
    console.log(`${key}: ${median(values).toFixed(2)} ${unit} (least ${Math.min(...values).toFixed(2)})`)
  }
  for (const metric of ['cold', 'warm']) {
    const ours = results.get(`tsbpf ${metric}`)
    const peer = results.get(`libbpf ${metric}`)
    if (peer === undefined) continue
    const least = Math.min(...ours) / Math.min(...peer)
    console.log(`ratio ${metric}: ${(median(ours) / median(peer)).toFixed(2)} (least ${least.toFixed(2)})`)
  }
}
