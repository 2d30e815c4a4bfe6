/**
 * How fast a ring buffer is read, the reader alone, in million records a second, and by how many bytes the heap grows
 * for each record: `node bench/maps/ring.mjs RING.o [PEER]…` as root, after the build. RING.o has a ring `rb` and an XDP
 * program `produce` that outputs as many `{ u64 seq; u32 pid, kind; … }` as the packet's first u32 says, of as many
 * bytes as its second (16 or 64). Each PEER prints its rates for the same object (`PEER ringbuf RING.o`).
 *
 * Each reader is a process of its own, as the peers are; all run in turn, in ROUNDS (15 unless set), and the ratios of
 * the medians are printed. Ours are measured in processor time where CPU=1 is set, for machines that are busy: a peer
 * that is not is seldom interrupted in its millisecond. With NO_EVAL=1, where no code may be made of text.
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { btfBuilder, codec } from '@tsbpf/btf'
import { loadSync } from '@tsbpf/loader'
import { openRingBuffer, recordFields } from '@tsbpf/maps'
import { parseObject } from '@tsbpf/object'
import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 15)
const count = 200_000
const sizes = [16, 64]
const builder = btfBuilder()
const [u32, u64] = [4, 8].map((size) => builder.add({ kind: 'int', name: `u${size * 8}`, size }))
const members = [
  { name: 'seq', type: u64, offsetBits: 0 },
  { name: 'pid', type: u32, offsetBits: 64 },
  { name: 'kind', type: u32, offsetBits: 96 },
]
const rec = builder.add({ kind: 'struct', name: 'rec', size: 16, members })
const btf = builder.open()
const paths = members.map(({ name }) => name)
const numbers = recordFields(btf, rec, paths, { numbers: true })
const exact = recordFields(btf, rec, paths)
const byHand = {
  size: 16,
  decode: (view, at) => ({
    seq: view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000,
    pid: view.getUint32(at + 8, true),
    kind: view.getUint32(at + 12, true),
  }),
}
/** What readers add to; in a variable it would be a new number on the heap for each record. */
const sums = new Float64Array(1)
/** Where the last object goes, so that each is really made. */
const kept = { last: undefined }
const keep = (ring) =>
  ring.consume((value) => {
    kept.last = value
  })

/** How the ring decodes, and how it is read. */
const readers = {
  'record in place, first u64': {
    read: (ring) =>
      ring.consumeRecords((record) => {
        sums[0] += record.u64AsNumber(0)
      }),
  },
  'field to a callback': {
    read: (ring) =>
      ring.consumeFields(recordFieldsOfOne, (seq) => {
        sums[0] += seq
      }),
  },
  '3 fields to a callback': {
    read: (ring) =>
      ring.consumeFields(numbers, (seq, pid, kind) => {
        sums[0] += seq + pid + kind
      }),
  },
  '3 columns': {
    read: (ring) =>
      ring.consumeColumns(numbers, ([seq]) => {
        sums[0] += seq[0]
      }),
  },
  '3 columns, u64 as bigint': {
    read: (ring) =>
      ring.consumeColumns(exact, ([, pid]) => {
        sums[0] += pid[0]
      }),
  },
  'objects of fields': { decode: numbers, read: keep },
  'objects by hand': { decode: byHand, read: keep },
  'objects of BTF, u64 as bigint': { decode: codec(btf, rec), read: keep },
  'arrays of objects': {
    decode: numbers,
    read: (ring) => {
      let [all, some] = [0, 0]
      while ((some = ring.read(4096).length) > 0) all += some
      return all
    },
  },
  copies: { read: keep },
  'for await, objects': {
    decode: numbers,
    async read(ring) {
      let all = 0
      for await (const value of ring) {
        kept.last = value
        if (++all === count) return all
      }
      return all
    },
  },
}
const recordFieldsOfOne = recordFields(btf, rec, ['seq'], { numbers: true })

/** The process of one reader: reads what it produced, each time it is asked. */
function reader(file, { decode, read }) {
  const sys = nativeSys()
  const object = loadSync(parseObject(readFileSync(file)))
  const ring = openRingBuffer(sys, object.map('rb'), decode === undefined ? {} : { decode })
  const packet = new Uint8Array(64)
  const measure = async (size) => {
    new Uint32Array(packet.buffer).set([count, size])
    progTestRun(sys, { prog_fd: object.program('produce').fd, data_in: packet })
    const { heapUsed } = process.memoryUsage()
    const [cpu, started] = [process.cpuUsage(), process.hrtime.bigint()]
    const received = await read(ring)
    const took = Number(process.hrtime.bigint() - started)
    const { user, system } = process.cpuUsage(cpu)
    if (received !== count) throw new Error(`${received} records`)
    const nanoseconds = process.env.CPU === '1' ? (user + system) * 1000 : took
    return { rate: (count / nanoseconds) * 1000, heap: (process.memoryUsage().heapUsed - heapUsed) / count }
  }
  let warm = false
  process.on('message', async () => {
    const result = []
    for (const size of sizes) {
      // The first make the engine compile it; then one for the caches, as the peers do.
      for (let i = 0; i < (warm ? 1 : 10); i++) await measure(size)
      result.push(await measure(size))
    }
    warm = true
    process.send(result)
  })
  process.once('disconnect', () => {
    ring.dispose()
    object.dispose()
  })
}

async function compare(file, peers) {
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
  const rows = new Map()
  const add = (name, size, { rate, heap }) => {
    const key = `${name}, ${size} bytes`
    if (!rows.has(key)) rows.set(key, { size, rates: [], heaps: [], ours: heap !== undefined })
    const row = rows.get(key)
    row.rates.push(rate)
    if (heap !== undefined) row.heaps.push(heap)
  }
  const execArgv = process.env.NO_EVAL === '1' ? ['--disallow-code-generation-from-strings'] : []
  const children = Object.keys(readers).map((name) => ({
    name,
    child: fork(import.meta.filename, ['--reader', file, name], { execArgv }),
  }))
  for (let round = 0; round < rounds; round++) {
    for (const { name, child } of children) {
      child.send('measure')
      const [results] = await once(child, 'message')
      results.forEach((result, i) => add(name, sizes[i], result))
    }
    for (const peer of peers) {
      const env = { ...process.env, ROUNDS: '1' }
      const text = execFileSync(peer, ['ringbuf', file], { encoding: 'utf8', env })
      for (const line of text.trim().split('\n')) {
        const { peer: name, metric, median: rate } = JSON.parse(line)
        const [, size, form = ''] = /^ringbuf_consume_(\d+)(.*)/.exec(metric) ?? []
        if (size !== undefined) add(`${name}${form.replaceAll('_', ' ')}`, size, { rate })
      }
    }
  }
  for (const { child } of children) child.disconnect()
  for (const [name, { size, rates, heaps, ours }] of rows) {
    const ratios = [...rows]
      .filter(([, other]) => ours && !other.ours && Number(other.size) === size)
      .map(
        ([other, theirs]) => `${(median(rates) / median(theirs.rates)).toFixed(3)} of ${other.split(',')[0]}`,
      )
    const heap = ours ? `${median(heaps).toFixed(2).padStart(8)} B` : ''
    console.log(`${name.padEnd(40)} ${median(rates).toFixed(1).padStart(7)} M/s${heap}  ${ratios.join(', ')}`)
  }
}

const [first, ...rest] = process.argv.slice(2)
if (first === '--reader') reader(rest[0], readers[rest[1]])
else await compare(first, rest)
