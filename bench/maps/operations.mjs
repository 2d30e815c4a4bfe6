/**
 * What map operations cost through `BpfMap`, in nanoseconds each, beside the peers' own loops:
 * `node bench/maps/operations.mjs [PEER]…` as root, after the build. A PEER is a program that prints
 * `{"peer","metric","median"}` lines for `maps` and `batch`; all run in turn, and ratios of the medians are printed, and
 * of the least.
 */
import { execFileSync } from 'node:child_process'
import { btfBuilder, parseBtf } from '@tsbpf/btf'
import { btfCodecs, createMap } from '@tsbpf/maps'
import { nativeSys } from '@tsbpf/sys/native'
import { commands, errnos, mapFlags, mapTypes } from '@tsbpf/uapi'

const rounds = Number(process.env.ROUNDS ?? 7)
const peers = process.argv.slice(2)
const native = nativeSys()
const lookupBatch = commands.value('map_lookup_batch')
/** This kernel as if it had no batches to read with. */
const walking = {
  ...native,
  bpf: (cmd, attr, pointers) =>
    cmd === lookupBatch ? -errnos.value('EINVAL') : native.bpf(cmd, attr, pointers),
}
const builder = btfBuilder()
const u32 = builder.add({ kind: 'int', name: 'unsigned int', size: 4, signed: false })
const u64 = builder.add({ kind: 'int', name: 'unsigned long', size: 8, signed: false })
const record = builder.add({
  kind: 'struct',
  name: 'record',
  size: 16,
  members: [
    { name: 'packets', type: u64, offsetBits: 0 },
    { name: 'errors', type: u32, offsetBits: 64 },
  ],
})
/** Typed as maps of an object are: what users call. */
const btf = parseBtf(builder.build())
const make = (type, maxEntries, { flags = 0, sys = native, value = u64, valueSize = 8 } = {}) => {
  const sizes = { keySize: 4, valueSize, maxEntries, flags }
  const shape = { name: type, kernelName: 'bench', type, typeValue: mapTypes.value(type), ...sizes }
  return createMap(sys, shape, { codecs: btfCodecs(btf, { ...shape, keyType: u32, valueType: value }) })
}

const time = (count, work) => {
  const started = process.hrtime.bigint()
  work(count)
  return Number(process.hrtime.bigint() - started) / count
}
const filled = (map, count) => {
  map.setMany(Array.from({ length: count }, (_, i) => [i, BigInt(i) * 3n]))
  return map
}
const array = filled(make('array', 1024), 1024)
const hash = filled(make('hash', 1024), 1024)
const large = filled(make('hash', 100_000), 100_000)
const largeWalked = filled(make('hash', 100_000, { sys: walking }), 100_000)
const flags = mapFlags.value('mmapable')
const mapped = filled(make('array', 1024, { flags }), 1024).memory()
const mapped32 = make('array', 1024, { flags, value: u32, valueSize: 4 }).memory()
const live = make('array', 1024, { flags, value: record, valueSize: 16 }).memory().view(7)
const entries = Array.from({ length: 100_000 }, (_, i) => [i, BigInt(i)])
/** Of the small map, as the peer's single lookups. */
const keys = entries.map(([key]) => key & 1023)
let sum = 0n
let last

const subjects = [
  [
    'array_lookup',
    200_000,
    (n) => {
      for (let i = 0; i < n; i++) array.get(i & 1023)
    },
  ],
  [
    'hash_lookup',
    200_000,
    (n) => {
      for (let i = 0; i < n; i++) hash.get(i & 1023)
    },
  ],
  [
    'hash_update',
    200_000,
    (n) => {
      for (let i = 0; i < n; i++) hash.set(i & 1023, 7n)
    },
  ],
  ['getMany', 100_000, () => hash.getMany(keys), 'hash_lookup'],
  [
    'walk without batches',
    100_000,
    () => {
      for (const [, value] of largeWalked) sum += value
    },
    'hash100k_walk_next_key',
  ],
  ['columns', 100_000, () => large.columns(), 'hash100k_lookup_batch4096'],
  ['toMap', 100_000, () => large.toMap(), 'hash100k_lookup_batch4096'],
  ['setMany', 100_000, () => large.setMany(entries), 'hash100k_update_batch'],
  [
    'mapped element',
    5_000_000,
    (n) => {
      // Adding up bigints would cost more than reading them.
      for (let i = 0; i < n; i++) last = mapped.get(i & 1023)
    },
    'array_lookup',
  ],
  [
    'mapped element, u32',
    5_000_000,
    (n) => {
      for (let i = 0; i < n; i++) last = mapped32.get(i & 1023)
    },
    'array_lookup',
  ],
  [
    'live member',
    5_000_000,
    (n) => {
      for (let i = 0; i < n; i++) last = live.packets
    },
    'array_lookup',
  ],
]
const ours = new Map(subjects.map(([name]) => [name, []]))
const theirs = new Map()
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
for (let round = -1; round < rounds; round++) {
  for (const [name, count, work] of subjects) {
    const took = time(count, work)
    if (round >= 0) ours.get(name).push(took)
  }
  for (const peer of round < 0 ? [] : peers) {
    for (const subject of ['maps', 'batch']) {
      const text = execFileSync(peer, [subject], { encoding: 'utf8', env: { ...process.env, ROUNDS: '1' } })
      for (const line of text.trim().split('\n')) {
        const { peer: name, metric, median: value } = JSON.parse(line)
        if (!theirs.has(name)) theirs.set(name, new Map())
        const metrics = theirs.get(name)
        metrics.set(metric, [...(metrics.get(metric) ?? []), value])
      }
    }
  }
}
for (const [name, , , metric = name] of subjects) {
  const own = ours.get(name)
  const ratios = [...theirs].flatMap(([peer, metrics]) => {
    const values = metrics.get(metric)
    if (values === undefined) return []
    const of = (one) => (one(own) / one(values)).toFixed(one(own) < one(values) / 10 ? 5 : 2)
    return [
      `${of(median)} (least ${of((all) => Math.min(...all))}) of ${peer}'s ${median(values).toFixed(0)}`,
    ]
  })
  console.log(`${name.padEnd(20)} ${median(own).toFixed(1).padStart(7)} ns  ${ratios.join(', ')}`)
}
