/**
 * How fast a ring buffer is read, the reader alone, in million records a second:
 * `node bench/maps/ring.mjs RING.o [PEER]` as root, after the build. RING.o has a ring `rb` and an XDP program `produce`
 * that outputs as many records as the packet's first u32 says, of as many bytes as its second (16 or 64); PEER prints
 * libbpf's rate for the same object (`PEER ringbuf RING.o`). Both run in turn.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadSync } from '@tsbpf/loader'
import { openRingBuffer } from '@tsbpf/maps'
import { parseObject } from '@tsbpf/object'
import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 7)
const [file, peer] = process.argv.slice(2)
const sys = nativeSys()
const object = loadSync(parseObject(readFileSync(file)))
const count = 200_000
const decode = {
  size: 16,
  decode: (view, at) => ({
    seq: view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000,
    pid: view.getUint32(at + 8, true),
    kind: view.getUint32(at + 12, true),
  }),
  encodeInto: () => undefined,
}
let sum = 0
const readers = {
  objects: [
    decode,
    (ring) =>
      ring.consume((value) => {
        sum += value.seq
      }),
  ],
  records: [
    undefined,
    (ring) =>
      ring.consumeRecords((record) => {
        sum += record.u32(0)
      }),
  ],
  copies: [
    undefined,
    (ring) =>
      ring.consume((bytes) => {
        sum += bytes[0]
      }),
  ],
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const rates = new Map()
const add = (name, value) => rates.set(name, [...(rates.get(name) ?? []), value])

for (let round = -1; round < rounds; round++) {
  for (const size of [16, 64]) {
    for (const [name, [codec, read]] of Object.entries(readers)) {
      const ring = openRingBuffer(sys, object.map('rb'), codec === undefined ? {} : { decode: codec })
      const packet = new Uint8Array(64)
      new Uint32Array(packet.buffer).set([count, size])
      progTestRun(sys, { prog_fd: object.program('produce').fd, data_in: packet })
      const started = process.hrtime.bigint()
      const received = read(ring)
      const took = Number(process.hrtime.bigint() - started)
      if (received !== count) throw new Error(`${received} records`)
      if (round >= 0) add(`${name}, ${size} bytes`, (count / took) * 1000)
      ring.dispose()
    }
  }
  if (peer === undefined || round < 0) continue
  const text = execFileSync(peer, ['ringbuf', file], {
    encoding: 'utf8',
    env: { ...process.env, ROUNDS: '1' },
  })
  for (const line of text.trim().split('\n')) {
    const { metric, median: value } = JSON.parse(line)
    if (metric.startsWith('ringbuf_consume_')) add(metric, value)
  }
}
for (const [name, values] of rates) {
  const size = /(\d+) bytes/.exec(name)?.[1]
  const other = rates.get(`ringbuf_consume_${size}`)
  const ratio = other === undefined ? '' : `  ${(median(values) / median(other)).toFixed(3)} of libbpf`
  console.log(`${name.padEnd(22)} ${median(values).toFixed(1).padStart(7)} M/s${ratio}`)
}
object.dispose()
