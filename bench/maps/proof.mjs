/**
 * Reads many ring-buffer records that are numbered for each processor and checks every one: contents, checksum, order,
 * and that received + drops that the program counted = produced. Prints a line of JSON.
 *
 *   node bench/maps/proof.mjs [RECORDS] [--pause]     as root, after the build; needs clang and libbpf's headers
 *
 * A Worker runs the program; it waits where the ring fills up, unless --pause, which also pauses the reader for 5 ms
 * every 50 ms, so that records are dropped.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { loadSync } from '@tsbpf/loader'
import { openRingBuffer } from '@tsbpf/maps'
import { parseObject } from '@tsbpf/object'
import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

/** Records of one run of the program. */
const perRun = 10_000

function produce({ prog, total, control }) {
  const sys = nativeSys()
  const [received, produced] = [new BigInt64Array(control, 0, 1), new BigInt64Array(control, 8, 1)]
  const data = new Uint8Array(64)
  for (let made = 0; made < total; made += perRun) {
    // Half a ring of the largest records may be on its way.
    while (workerData.wait && made - Number(Atomics.load(received, 0)) > 300_000) {
      Atomics.wait(new Int32Array(control, 16, 1), 0, 0, 1)
    }
    progTestRun(sys, { prog_fd: prog, data_in: data })
    Atomics.store(produced, 0, BigInt(made + perRun))
  }
  parentPort.postMessage('done')
}

async function consume() {
  const pause = process.argv.includes('--pause')
  const total = Number(process.argv[2] ?? 100_000_000)
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-proof-'))
  execFileSync(process.env.CLANG ?? 'clang', [
    '-O2',
    '-g',
    '-target',
    'bpf',
    '-mcpu=v3',
    '-I/usr/include/x86_64-linux-gnu',
    '-c',
    join(import.meta.dirname, 'numbered.bpf.c'),
    '-o',
    join(folder, 'numbered.o'),
  ])
  const object = loadSync(parseObject(readFileSync(join(folder, 'numbered.o'))))
  rmSync(folder, { recursive: true })
  const sys = nativeSys()
  const ring = openRingBuffer(sys, object.map('ring'))
  const control = new SharedArrayBuffer(32)
  const told = new BigInt64Array(control, 0, 1)
  const next = new Map()
  let [received, missing, bytes] = [0, 0, 0]
  const listening = ring.listenRecords((record) => {
    const seq = record.u64AsNumber(0)
    const cpu = record.u32(8)
    const { size } = record
    if (size !== 24 + (seq & 7) * 8) throw new Error(`record ${seq}: ${size} bytes`)
    if (record.u32(16) !== (seq ^ cpu) >>> 0) throw new Error(`record ${seq}: checksum`)
    for (let at = 24; at < size; at += 8)
      if (record.u64AsNumber(at) !== seq) throw new Error(`record ${seq}: byte ${at}`)
    const expected = next.get(cpu) ?? 0
    if (seq < expected) throw new Error(`record ${seq} of processor ${cpu} after ${expected - 1}`)
    missing += seq - expected
    next.set(cpu, seq + 1)
    bytes += size
    if ((++received & 0xfff) === 0) Atomics.store(told, 0, BigInt(received))
  })
  const timers = []
  if (pause) {
    timers.push(
      setInterval(() => {
        listening.pause()
        setTimeout(() => listening.resume(), 5)
      }, 50),
    )
  }
  let [least, most] = [Infinity, 0]
  timers.push(
    setInterval(() => {
      const { rss } = process.memoryUsage()
      if (received > total / 10) [least, most] = [Math.min(least, rss), Math.max(most, rss)]
      Atomics.store(told, 0, BigInt(received))
    }, 200),
  )
  const started = performance.now()
  const prog = object.program('produce').fd
  const worker = new Worker(new URL(import.meta.url), { workerData: { prog, total, control, wait: !pause } })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  const seconds = (performance.now() - started) / 1000
  listening.pause()
  for (const timer of timers) clearInterval(timer)
  listening.resume()
  while (ring.available > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  const states = object.map('state').get(0)
  const sum = (name) => states.reduce((all, one) => all + Number(one[name]), 0)
  const [produced, dropped] = [sum('seq'), sum('dropped')]
  const good = received + dropped === produced && missing <= dropped
  console.log(
    JSON.stringify({
      produced,
      received,
      dropped,
      good,
      bytes,
      seconds: Math.round(seconds * 10) / 10,
      millionPerSecond: Math.round(received / seconds / 1e4) / 100,
      rssMiB: [least, most].map((value) => Math.round(value / 2 ** 20)),
      counters: ring.counters.received,
    }),
  )
  ring.dispose()
  object.dispose()
  if (!good) process.exitCode = 1
}

if (isMainThread) await consume()
else produce(workerData)
