/**
 * Ten thousand cycles of load, attach, event, detach and dispose: descriptors, kernel objects and resident memory before
 * and after. `node bench/loader/cycles.mjs [CYCLES]` as root, after the build. Other processes' objects count too: run
 * it alone.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { loadSync } from '@tsbpf/loader'
import { parseObject } from '@tsbpf/object'
import { objectIds } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

const cycles = Number(process.argv[2] ?? 10_000)
const sys = nativeSys()
const objects = new URL('../../packages/loader/test/kernel/objects/', import.meta.url)
const spec = parseObject(readFileSync(new URL('tracepoints.bpf.o', objects)))
const options = { rodata: { only_tgid: process.pid }, programs: ['on_classic', 'on_raw'] }

function cycle() {
  const bpf = loadSync(spec, options)
  const links = bpf.attach()
  readdirSync('/proc/self/fd')
  if (bpf.variable('raw').get() === 0n) throw new Error('no event was seen')
  for (const link of links) link.detach()
  bpf.dispose()
}

async function state() {
  // The kernel frees objects after a grace period.
  await delay(2000)
  globalThis.gc?.()
  const count = (kind) => [...objectIds(sys, kind)].length
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    programs: count('prog'),
    maps: count('map'),
    links: count('link'),
    btf: count('btf'),
    residentMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
  }
}

for (let i = 0; i < Math.min(500, cycles); i++) cycle()
const before = await state()
const started = process.cpuUsage()
for (let i = 0; i < cycles; i++) cycle()
const { user, system } = process.cpuUsage(started)
const after = await state()
const milliseconds = (user + system) / 1000 / cycles
console.log(JSON.stringify({ cycles, before, after, millisecondsOfProcessorTimeEach: milliseconds }, null, 2))
