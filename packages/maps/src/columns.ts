import { commands, mapBatchAttr } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { AttrPointer } from '@tsbpf/sys'
import { batchEntries, columnBytes } from './limits.ts'
import { isMissing } from './map-access.ts'
import type { MapAccess } from './map-access.ts'
import { walk } from './walk.ts'

/** All entries of a map as bytes, in the kernel's layout: the n-th key stands beside the n-th value. */
export interface MapColumns {
  readonly count: number
  /** `count` keys of `keySize` bytes; the caller's own. */
  readonly keys: Uint8Array
  /** `count` values, in a per-CPU map 8-byte steps for each possible processor; the caller's own. */
  readonly values: Uint8Array
}

const ENOENT = failure('ENOENT')
const ENOSPC = failure('ENOSPC')

/** Buffers that grow, filled from the front. */
class Columns {
  count = 0
  capacity = 0
  keys = new Uint8Array(0)
  values = new Uint8Array(0)
  readonly #keySize: number
  readonly #valueSize: number

  constructor(keySize: number, valueSize: number) {
    this.#keySize = keySize
    this.#valueSize = valueSize
  }

  grow(capacity: number): void {
    const keys = new Uint8Array(capacity * this.#keySize)
    const values = new Uint8Array(capacity * this.#valueSize)
    keys.set(this.keys.subarray(0, this.count * this.#keySize))
    values.set(this.values.subarray(0, this.count * this.#valueSize))
    Object.assign(this, { capacity, keys, values })
  }

  result(): MapColumns {
    const { count } = this
    return {
      count,
      keys: this.keys.subarray(0, count * this.#keySize),
      values: this.values.subarray(0, count * this.#valueSize),
    }
  }
}

/** Reads a whole map straight into two buffers. */
export function readColumns<K, V>(map: MapAccess<K, V>): MapColumns {
  const operations = map.can('columns', (one) => one.walk !== 'none')
  const { keySize, valueSize } = map.sizes
  const columns = new Columns(keySize, valueSize)
  if (operations.batch.includes('lookup') && !map.missing.has('lookup') && fillByBatches(map, columns)) {
    return columns.result()
  }
  const copy = (keys: DataView, keyAt: number, values: DataView, valueAt: number): void => {
    if (columns.count === columns.capacity) columns.grow(Math.max(64, columns.capacity * 2))
    columns.keys.set(new Uint8Array(keys.buffer, keys.byteOffset + keyAt, keySize), columns.count * keySize)
    columns.values.set(
      new Uint8Array(values.buffer, values.byteOffset + valueAt, valueSize),
      columns.count * valueSize,
    )
    columns.count++
  }
  const entries = walk(map, copy)
  while (entries.next().done !== true);
  return columns.result()
}

/** False where the kernel has no such command. */
function fillByBatches<K, V>(map: MapAccess<K, V>, columns: Columns): boolean {
  const { keySize, valueSize } = map.sizes
  const { offsets } = mapBatchAttr
  const place = new Uint8Array(Math.max(8, keySize))
  const attr = new Uint8Array(mapBatchAttr.size)
  const view = new DataView(attr.buffer)
  let started = false
  // Memory that nothing is written to costs nothing, and copying what was read into a larger one costs.
  const fitting = Math.floor(columnBytes / Math.max(1, keySize + valueSize))
  columns.grow(Math.min(map.shape.maxEntries, Math.max(batchEntries, fitting)))
  for (;;) {
    const room = columns.capacity - columns.count
    mapBatchAttr.write(view, 0, { map_fd: map.fd, count: room }, true)
    const pointers: AttrPointer[] = [
      { at: offsets.out_batch, buffer: place },
      { at: offsets.keys, buffer: columns.keys.subarray(columns.count * keySize) },
      { at: offsets.values, buffer: columns.values.subarray(columns.count * valueSize) },
    ]
    if (started) pointers.push({ at: offsets.in_batch, buffer: place })
    const result = map.sys.bpf(commands.value('map_lookup_batch'), attr, pointers)
    if (result < 0 && result !== ENOENT && result !== ENOSPC) {
      if (started || !isMissing(result)) throw map.refused('columns', undefined, result)
      map.missing.add('lookup')
      return false
    }
    // For a bucket that does not fit the kernel says ENOSPC and stays where it was.
    if (result !== ENOSPC) {
      columns.count += Math.min(view.getUint32(offsets.count, true), room)
      started = true
      if (result === ENOENT) return true
    }
    columns.grow(columns.capacity * 2)
  }
}
