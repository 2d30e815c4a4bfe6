import { commands, mapBatchAttr } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { batchBytes, batchEntries } from './limits.ts'

/** A batch lookup in progress: the buffers hold the entries of the last call until the next one. */
export interface BatchReader {
  readonly keys: DataView
  readonly values: DataView
  /** Entries in the buffers. */
  readonly count: number
  /** True once the kernel has nothing more. */
  readonly done: boolean
  /** Fetches the next entries; a negated errno where the kernel refuses. */
  fetch(): number
}

const ENOSPC = failure('ENOSPC')
const ENOENT = failure('ENOENT')

/** Bytes of the kernel's place in the map: an unsigned 32-bit bucket, or a key (kernel/bpf/syscall.c, hashtab.c). */
const minTokenBytes = 4

/** Starts a batch lookup (BPF_MAP_LOOKUP_BATCH, kernel 5.6) over a map of these element sizes. */
export function openBatch(
  sys: Sys,
  fd: number,
  sizes: { readonly key: number; readonly value: number; readonly maxEntries: number },
): BatchReader {
  const entryBytes = sizes.key + sizes.value
  // A bucket is copied whole, and a map without preallocation can hold a few entries more than its limit.
  const mostEntries = sizes.maxEntries * 2 + 64
  let capacity = Math.max(1, Math.min(sizes.maxEntries, batchEntries, Math.floor(batchBytes / entryBytes)))
  let keys = new Uint8Array(capacity * sizes.key)
  let values = new Uint8Array(capacity * sizes.value)
  let keysView = new DataView(keys.buffer)
  let valuesView = new DataView(values.buffer)
  const { offsets } = mapBatchAttr
  const token = new Uint8Array(Math.max(minTokenBytes, sizes.key))
  const attr = new Uint8Array(mapBatchAttr.size)
  const attrView = new DataView(attr.buffer)
  let started = false
  let done = false
  let count = 0

  const fetch = (): number => {
    for (;;) {
      mapBatchAttr.write(attrView, 0, { map_fd: fd, count: capacity }, true)
      const pointers = [
        { at: offsets.out_batch, buffer: token },
        { at: offsets.keys, buffer: keys },
        { at: offsets.values, buffer: values },
      ]
      if (started) pointers.push({ at: offsets.in_batch, buffer: token })
      const result = sys.bpf(commands.value('map_lookup_batch'), attr, pointers)
      if (result === ENOSPC && capacity < mostEntries) {
        // A bucket holds more than the buffers: the kernel stays where it was.
        capacity = Math.min(capacity * 2, mostEntries)
        keys = new Uint8Array(capacity * sizes.key)
        values = new Uint8Array(capacity * sizes.value)
        keysView = new DataView(keys.buffer)
        valuesView = new DataView(values.buffer)
        continue
      }
      if (result < 0 && result !== ENOENT) return result
      count = Math.min(attrView.getUint32(offsets.count, true), capacity)
      done = result < 0
      started = true
      return 0
    }
  }
  return {
    get keys() {
      return keysView
    },
    get values() {
      return valuesView
    },
    get count() {
      return count
    },
    get done() {
      return done
    },
    fetch,
  }
}
