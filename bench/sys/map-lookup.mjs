/**
 * What one map lookup costs through the door, in nanoseconds: `node bench/sys/map-lookup.mjs` as root, after the build.
 *
 * With the path of a program that prints `{"metric","median"}` lines (the peers' bench of libbpf, metric
 * `map.array.lookup` or alike) as argument, both run in turn and the ratio of the medians is printed.
 */
import { execFileSync } from 'node:child_process'
import { mapCreate, mapElements } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 7)
const calls = 200_000
const sys = nativeSys()

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]

function measure(type, operation) {
  const fd = mapCreate(sys, { map_type: type, key_size: 4, value_size: 8, max_entries: 1024 })
  const elements = mapElements(sys, fd, { keySize: 4, valueSize: 8 })
  const key = new DataView(elements.key.buffer)
  for (let i = 0; i < 1024; i++) {
    key.setUint32(0, i, true)
    elements.update()
  }
  const call = elements[operation]
  const started = process.hrtime.bigint()
  for (let i = 0; i < calls; i++) {
    key.setUint32(0, i & 1023, true)
    if (call() !== 0) throw new Error('a call failed')
  }
  const took = Number(process.hrtime.bigint() - started) / calls
  sys.close(fd)
  return took
}

const subjects = [
  ['array lookup', 2, 'lookup'],
  ['hash lookup', 1, 'lookup'],
  ['hash update', 1, 'update'],
]
const peer = process.argv[2]
const peerLines = new Map()
const ours = new Map(subjects.map(([name]) => [name, []]))

for (let round = 0; round < rounds; round++) {
  for (const [name, type, operation] of subjects) ours.get(name).push(measure(type, operation))
  if (peer === undefined) continue
  const text = execFileSync(peer, ['maps'], { encoding: 'utf8', env: { ...process.env, ROUNDS: '1' } })
  for (const line of text.trim().split('\n')) {
    const { metric, median: value } = JSON.parse(line)
    if (!peerLines.has(metric)) peerLines.set(metric, [])
    peerLines.get(metric).push(value)
  }
}
for (const [name, values] of ours) console.log(`tsbpf  ${name}: ${median(values).toFixed(0)} ns`)
for (const [metric, values] of peerLines) console.log(`peer   ${metric}: ${median(values).toFixed(0)}`)
