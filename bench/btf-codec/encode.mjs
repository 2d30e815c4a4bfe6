/**
 * What encoding a 64-byte struct of ten fields into given bytes costs, compiled, interpreted, and by hand over a
 * DataView, in nanoseconds: `node bench/btf-codec/encode.mjs`, after the build. By hand means without checks.
 */
import { btfBuilder, codec } from '@tsbpf/btf'

const values = 300_000
const size = 64
const rounds = Number(process.env.ROUNDS ?? 7)

const builder = btfBuilder()
const int = (name, bytes, flags = {}) => builder.add({ kind: 'int', name, size: bytes, ...flags })
const [u8, u16, u32, u64] = [1, 2, 4, 8].map((bytes) => int(`u${bytes * 8}`, bytes))
const s32 = int('int', 4, { signed: true })
const bool = int('bool', 1, { bool: true })
const rows = Object.entries({
  timestamp: [u64, 0],
  duration: [u64, 8],
  address: [u64, 16],
  pid: [u32, 24],
  tgid: [u32, 28],
  ret: [s32, 32],
  port: [u16, 36],
  family: [u8, 38],
  ok: [bool, 39],
  bytes: [u64, 56],
})
const members = rows.map(([name, [type, offset]]) => ({ name, type, offsetBits: offset * 8 }))
const id = builder.add({ kind: 'struct', name: 'numbers', size, members })
const btf = builder.open()

const list = Array.from({ length: 1000 }, (_, i) => ({
  timestamp: BigInt(i) * 12345678987654321n,
  duration: BigInt(i),
  address: 0xffff_8880_0000_0000n + BigInt(i),
  pid: i,
  tgid: i * 1000,
  ret: -i,
  port: i,
  family: i & 255,
  ok: i % 2 === 0,
  bytes: 1n,
}))
const bytes = new Uint8Array(size)
const view = new DataView(bytes.buffer)
const hot = codec(btf, id)
const interpreted = codec(btf, id, { compile: 'never' })
const ways = {
  hand(value) {
    view.setBigUint64(0, value.timestamp, true)
    view.setBigUint64(8, value.duration, true)
    view.setBigUint64(16, value.address, true)
    view.setUint32(24, value.pid, true)
    view.setUint32(28, value.tgid, true)
    view.setInt32(32, value.ret, true)
    view.setUint16(36, value.port, true)
    view.setUint8(38, value.family)
    view.setUint8(39, value.ok ? 1 : 0)
    view.setBigUint64(56, value.bytes, true)
  },
  compiled: (value) => hot.encodeInto(value, bytes),
  'compiled, new bytes': (value) => hot.encode(value),
  interpreted: (value) => interpreted.encodeInto(value, bytes),
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1]
const times = new Map(Object.keys(ways).map((way) => [way, []]))
for (let round = -1; round < rounds; round++) {
  for (const [way, run] of Object.entries(ways)) {
    const started = performance.now()
    for (let i = 0; i < values; i++) run(list[i % 1000])
    if (round >= 0) times.get(way).push(((performance.now() - started) * 1e6) / values)
  }
}
const hand = median(times.get('hand'))
for (const [way, all] of times) {
  console.log(`${way}: ${median(all).toFixed(0)} ns, ratio ${(median(all) / hand).toFixed(2)}`)
}
