/**
 * What decoding one million 64-byte records of ten fields costs, beside a reader written by hand over a DataView, in
 * nanoseconds for each record: `node bench/btf-codec/decode.mjs`, after the build. All run in turn, in rounds; the median
 * of the rounds' ratios is printed, and the ratio of the least times. `event` has a text of 16 bytes among its fields, `numbers` has numbers alone.
 *
 * ROUNDS sets how often (7 unless set); LIMIT makes it fail where a compiled ratio is larger.
 */
import { btfBuilder, codec } from '@tsbpf/btf'

const records = 1_000_000
const size = 64
const rounds = Number(process.env.ROUNDS ?? 7)
const limit = Number(process.env.LIMIT ?? Infinity)

const builder = btfBuilder()
const int = (name, bytes, flags = {}) => builder.add({ kind: 'int', name, size: bytes, ...flags })
const [u8, u16, u32, u64] = [1, 2, 4, 8].map((bytes) => int(`u${bytes * 8}`, bytes))
const s32 = int('int', 4, { signed: true })
const bool = int('bool', 1, { bool: true })
const char = int('char', 1, { signed: true })
const comm = builder.add({ kind: 'array', type: char, indexType: u32, length: 16 })
const struct = (name, rows) =>
  builder.add({
    kind: 'struct',
    name,
    size,
    members: rows.map(([member, type, offset]) => ({ name: member, type, offsetBits: offset * 8 })),
  })
const event = struct('event', [
  ['timestamp', u64, 0],
  ['duration', u64, 8],
  ['address', u64, 16],
  ['pid', u32, 24],
  ['tgid', u32, 28],
  ['ret', s32, 32],
  ['port', u16, 36],
  ['family', u8, 38],
  ['ok', bool, 39],
  ['comm', comm, 40],
])
const numbers = struct('numbers', [
  ['timestamp', u64, 0],
  ['duration', u64, 8],
  ['address', u64, 16],
  ['pid', u32, 24],
  ['tgid', u32, 28],
  ['ret', s32, 32],
  ['port', u16, 36],
  ['family', u8, 38],
  ['ok', bool, 39],
  ['bytes', u64, 56],
])
const btf = builder.open()

/** By hand, as one would write it who knows the layout; the text as fast as we know. */
function textByHand(view, at) {
  let text = ''
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + i)
    if (byte === 0) break
    text += String.fromCharCode(byte)
  }
  return text
}
const byHand = {
  event: (view, at) => ({
    timestamp: view.getBigUint64(at, true),
    duration: view.getBigUint64(at + 8, true),
    address: view.getBigUint64(at + 16, true),
    pid: view.getUint32(at + 24, true),
    tgid: view.getUint32(at + 28, true),
    ret: view.getInt32(at + 32, true),
    port: view.getUint16(at + 36, true),
    family: view.getUint8(at + 38),
    ok: view.getUint8(at + 39) !== 0,
    comm: textByHand(view, at + 40),
  }),
  numbers: (view, at) => ({
    timestamp: view.getBigUint64(at, true),
    duration: view.getBigUint64(at + 8, true),
    address: view.getBigUint64(at + 16, true),
    pid: view.getUint32(at + 24, true),
    tgid: view.getUint32(at + 28, true),
    ret: view.getInt32(at + 32, true),
    port: view.getUint16(at + 36, true),
    family: view.getUint8(at + 38),
    ok: view.getUint8(at + 39) !== 0,
    bytes: view.getBigUint64(at + 56, true),
  }),
}

const bytes = new Uint8Array(records * size)
const view = new DataView(bytes.buffer)
for (let at = 0; at < bytes.length; at += size) {
  for (let i = 0; i < size; i += 4) view.setUint32(at + i, (at * 2654435761 + i * 40503) >>> 0, true)
  bytes.fill(0, at + 40, at + 56)
  for (let i = 0; i < 8; i++) bytes[at + 40 + i] = 97 + ((at + i) % 26)
}

/** The last value is kept, so that none can be left out. */
let kept
const ways = {}
for (const [name, id] of Object.entries({ event, numbers })) {
  const hand = byHand[name]
  const hot = codec(btf, id)
  const interpreted = codec(btf, id, { compile: 'never' })
  const expected = JSON.stringify(hand(view, 640), (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const found = JSON.stringify(hot.decode(view, 640), (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  if (found !== expected) throw new Error(`${name}: ${found} is not ${expected}`)
  ways[name] = {
    hand() {
      for (let at = 0; at < bytes.length; at += size) kept = hand(view, at)
    },
    compiled() {
      for (let at = 0; at < bytes.length; at += size) kept = hot.decode(view, at)
    },
    'compiled, bytes'() {
      for (let at = 0; at < bytes.length; at += size) kept = hot.decode(bytes, at)
    },
    'compiled, many'() {
      for (let at = 0; at < bytes.length; at += size * 1000)
        kept = hot.decodeMany(view, { offset: at, count: 1000 })
    },
    interpreted() {
      for (let at = 0; at < bytes.length; at += size) kept = interpreted.decode(view, at)
    },
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const times = new Map()
for (let round = -1; round < rounds; round++) {
  for (const [name, byWay] of Object.entries(ways)) {
    for (const [way, run] of Object.entries(byWay)) {
      const started = performance.now()
      run()
      const each = ((performance.now() - started) * 1e6) / records
      // The first round is for the engine to see what is hot.
      if (round >= 0) times.set(`${name}: ${way}`, [...(times.get(`${name}: ${way}`) ?? []), each])
    }
  }
}
for (const name of Object.keys(ways)) {
  const hand = times.get(`${name}: hand`)
  for (const way of Object.keys(ways[name])) {
    const each = times.get(`${name}: ${way}`)
    const ratio = median(each.map((time, round) => time / hand[round]))
    const least = Math.min(...each) / Math.min(...hand)
    const ratios = `ratio ${ratio.toFixed(2)} (of the least ${least.toFixed(2)})`
    console.log(`${name}: ${way}: ${median(each).toFixed(0)} ns, ${ratios}`)
    if (way.startsWith('compiled') && ratio > limit) process.exitCode = 1
  }
}
if (kept === undefined) throw new Error('nothing was decoded')
