// Loads a program, attaches it to a raw tracepoint, says so, and waits to be killed.
import { addon, createMap } from './addon.mjs'

const insns = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0)
const text = (string) => new TextEncoder().encode(`${string}\0`)
const attr = new Uint8Array(72)
const view = new DataView(attr.buffer)
view.setUint32(0, 17, true) // raw_tracepoint
view.setUint32(4, 2, true)
const prog = addon.bpf(5, attr, 8, insns, 16, text('GPL'))
const open = new Uint8Array(16)
new DataView(open.buffer).setUint32(8, prog, true)
const link = addon.bpf(17, open, 0, text('sched_process_exit'))
const map = createMap(2, 4, 8, 1, 1024)
const memory = addon.mmap(1, map, 4096, 3, 1, 0)
console.log(JSON.stringify({ prog, link, map, mapped: memory.byteLength }))
setInterval(() => {}, 1000)
