// Loads the addon as src/native/addon.ts does, for child processes and Workers that run plain JavaScript.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const prebuilt = fileURLToPath(
  new URL(`../../prebuilds/${process.platform}-${process.arch}/tsbpf.node`, import.meta.url),
)

export const addon = createRequire(import.meta.url)(process.env.TSBPF_NATIVE || prebuilt)

/** A map, by BPF_MAP_CREATE. */
export function createMap(type, keySize, valueSize, maxEntries, flags = 0) {
  const attr = new Uint8Array(72)
  const view = new DataView(attr.buffer)
  for (const [index, value] of [type, keySize, valueSize, maxEntries, flags].entries()) {
    view.setUint32(4 * index, value, true)
  }
  return addon.bpf(0, attr)
}
