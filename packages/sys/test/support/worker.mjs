// A Worker that opens what its parent asks for, says so, and then stays until it is terminated.
import { parentPort, workerData } from 'node:worker_threads'
import { addon, createMap } from './addon.mjs'

const told = { fds: [] }
const { file, fifo, load, transfer } = workerData
for (let i = 0; i < 3; i++) told.fds.push(addon.openat(-100, file, 0, 0))
const memory = addon.mmap(1, told.fds[0], 8192, 1, 2, 0)
told.mapped = memory.byteLength
if (transfer && typeof memory.transfer === 'function') globalThis.kept = memory.transfer()
else globalThis.kept = memory
addon.mmap(2, told.fds[1], 4096, 1, 2, 0) // dropped at once

for (const uv of fifo ? [0, 1] : []) {
  const fd = addon.openat(-100, `${fifo}${uv}`, 0o4002, 0)
  told.fds.push(fd)
  told[`watch${uv}`] = addon.watch(fd, () => {}, uv)
}
if (load) {
  const map = createMap(2, 4, 8, 1)
  told.fds.push(map)
  const attr = Uint8Array.from(load.attr)
  const pointers = load.buffers.map((buffer) => Uint8Array.from(buffer))
  for (let i = 0; i < 3; i++) {
    void addon.bpfAsync(5, attr.slice(), Float64Array.from(load.slots), [...pointers])
  }
}
parentPort.postMessage(told)
setInterval(() => {}, 1000)
