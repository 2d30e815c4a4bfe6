/**
 * Microseconds from a record's submit to its reader, beside a bare epoll loop in C: `node bench/maps/wake.mjs` as root,
 * after the build; needs clang, cc and libbpf's headers. A Worker runs the program every millisecond; both readers take
 * turns, in ROUNDS (7 unless set) of 300 records.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { loadSync } from '@tsbpf/loader'
import { openRingBuffer } from '@tsbpf/maps'
import { parseObject } from '@tsbpf/object'
import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 7)
const count = 300

async function ours(map, produce) {
  const ring = openRingBuffer(nativeSys(), map)
  const delays = []
  const ended = new Promise((resolve) => {
    ring.listenRecords((record) => {
      delays.push(Number(process.hrtime.bigint() - record.u64(0)))
      if (delays.length === count) resolve()
    })
  })
  produce()
  await ended
  ring.dispose()
  return delays
}

async function bare(program, map, produce) {
  const child = spawn(program, [String(map.maxEntries), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit', map.fd],
  })
  const exit = once(child, 'exit')
  const [ready] = await once(child.stdout, 'data')
  produce()
  const lines = (String(ready) + (await text(child.stdout))).trim().split('\n').slice(1)
  const [code] = await exit
  if (code !== 0 || lines.length !== count) throw new Error(`the bare loop ended with ${code}`)
  return lines.map(Number)
}

async function compare() {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-wake-'))
  const here = (name) => join(import.meta.dirname, name)
  const target = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-I/usr/include/x86_64-linux-gnu']
  const made = (name) => join(folder, name)
  try {
    execFileSync(process.env.CLANG ?? 'clang', [...target, '-c', here('wake.bpf.c'), '-o', made('wake.o')])
    execFileSync(process.env.CC ?? 'cc', ['-O2', here('wake.c'), '-o', made('wake')])
    const object = loadSync(parseObject(readFileSync(made('wake.o'))))
    const map = object.map('ring')
    const worker = new Worker(new URL(import.meta.url))
    const produce = () => worker.postMessage(object.program('produce').fd)
    const delays = { listenRecords: [], 'epoll in C': [] }
    for (let round = -1; round < rounds; round++) {
      const [mine, theirs] = [await ours(map, produce), await bare(made('wake'), map, produce)]
      if (round < 0) continue
      delays.listenRecords.push(...mine)
      delays['epoll in C'].push(...theirs)
    }
    for (const [name, values] of Object.entries(delays)) {
      const sorted = values.toSorted((a, b) => a - b)
      const part = (share) => (sorted[Math.floor((sorted.length - 1) * share)] / 1000).toFixed(1)
      console.log(`${name.padEnd(14)} median ${part(0.5)} µs, least ${part(0)}, 99 % ${part(0.99)}`)
    }
    await worker.terminate()
    object.dispose()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (isMainThread) {
  await compare()
} else {
  const sys = nativeSys()
  const clock = new Int32Array(new SharedArrayBuffer(4))
  parentPort.on('message', (program) => {
    for (let i = 0; i < count; i++) {
      Atomics.wait(clock, 0, 0, 1)
      progTestRun(sys, { prog_fd: program, data_in: new Uint8Array(64) })
    }
  })
}
