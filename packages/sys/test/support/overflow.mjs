// A value buffer that is too short for the map: only the checked build notices before the kernel writes.
import { addon, createMap } from './addon.mjs'

const map = createMap(2, 4, 64, 1)
const attr = new Uint8Array(32)
new DataView(attr.buffer).setUint32(0, map, true)
const key = new Uint8Array(4)
const good = addon.bpf(1, attr, 8, key, 16, new Uint8Array(64))
console.log(`right size: ${good}`)
console.log(`too short: ${addon.bpf(1, attr, 8, key, 16, new Uint8Array(64).subarray(0, 60))}`)
