// Run with --expose-gc: mappings that nothing holds any more are unmapped, once, and held ones are not.
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { addon } from './addon.mjs'

const file = process.argv[2]
const fd = addon.openat(-100, file, 0, 0)
const mapped = () => readFileSync('/proc/self/maps', 'utf8').split(file).length - 1
const settle = async () => {
  for (let i = 0; i < 10; i++) {
    gc()
    await setTimeout(5)
  }
}

let id = 0
const map = () => addon.mmap(++id, fd, 4096, 1, 2, 0)
for (let i = 0; i < 50; i++) map()
const held = map()
const released = map()
addon.unmap(id)
addon.unmap(id)
const viewed = new Uint8Array(map(), 16, 32) // a view keeps its buffer
const before = mapped()
await settle()
const after = mapped()
if (viewed[0] === 300 || held.byteLength !== 4096 || released.byteLength !== 0) throw new Error('contents')
console.log(JSON.stringify({ before, after, fd: addon.close(fd) }))
