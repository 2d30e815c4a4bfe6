/**
 * Symbolisation, as ratios to fixed loops of the same run: `node --expose-gc bench/maps/symbols.mjs` as root, after the
 * build. Reading /proc/kallsyms into an index against reading its bytes alone; a find against a Map of bigint keys; the
 * memory of the index against an array of objects. Processor time, medians of ROUNDS (7) interleaved rounds.
 */
import { readFileSync } from 'node:fs'
import { binaryCache, kernelSymbols, userSymbols } from '@tsbpf/maps'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 7)
const sys = nativeSys()
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const results = new Map()
const measure = (name, work) => {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  results.set(name, [...(results.get(name) ?? []), (user + system) / 1000])
  return result
}
const time = (name) => median(results.get(name)).toFixed(1).padStart(8)
const ratio = (name, other) => (median(results.get(name)) / median(results.get(other))).toFixed(2)

const memory = async () => {
  // Buffers are given back after the collection that found them.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
let before = await memory()
const held = kernelSymbols(sys)
const index = (await memory()) - before
before = await memory()
const objects = readFileSync('/proc/kallsyms', 'latin1')
  .trim()
  .split('\n')
  .map((line) => {
    const [address, , name, module] = line.split(/\s/)
    return { address: BigInt(`0x${address}`), name, module }
  })
const asObjects = (await memory()) - before
console.log(
  `memory of ${held.count} symbols: ${(index / 1e6).toFixed(1)} MB, ${(index / asObjects).toFixed(2)} of ${objects.length} objects`,
)

const lines = readFileSync('/proc/kallsyms', 'latin1').trim().split('\n')
const addresses = Array.from({ length: 100_000 }, (_, i) =>
  BigInt(`0x${lines[(i * 7919) % lines.length].slice(0, 16)}`),
)
const exact = new Map(addresses.map((address) => [address, { address }]))
let sum = 0
for (let round = 0; round < rounds; round++) {
  measure('read the bytes', () => readFileSync('/proc/kallsyms'))
  const symbols = measure('kernelSymbols', () => kernelSymbols(sys, { maxAge: Infinity }))
  measure('refresh', () => symbols.refresh())
  measure('100,000 Map.get', () => {
    for (const address of addresses) sum += exact.get(address) === undefined ? 0 : 1
  })
  measure('100,000 find', () => {
    for (const address of addresses) sum += symbols.find(address)?.offset ?? 0
  })
  const cache = binaryCache()
  const own = userSymbols(sys, 'self', { cache })
  const [, text] = /^(\w+)-\w+ r-xp .*node$/m.exec(readFileSync('/proc/self/maps', 'latin1')) ?? []
  measure('symbols of node itself', () => own.find(BigInt(`0x${text}`)))
  own.dispose()
}
console.log(
  `kernelSymbols          ${time('kernelSymbols')} ms  ${ratio('kernelSymbols', 'read the bytes')} of reading the bytes`,
)
console.log(
  `refresh                ${time('refresh')} ms  ${ratio('refresh', 'read the bytes')} of reading the bytes`,
)
console.log(
  `100,000 find           ${time('100,000 find')} ms  ${ratio('100,000 find', '100,000 Map.get')} of Map.get`,
)
console.log(`symbols of node itself ${time('symbols of node itself')} ms`)

if (sum < 0) console.log(sum)
