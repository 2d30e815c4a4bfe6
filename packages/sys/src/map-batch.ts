import { commands, mapBatchAttr } from '@tsbpf/uapi'
import { littleEndian } from './command.ts'
import { failure } from './errno.ts'
import type { AttrPointer, Sys } from './sys.ts'

/** What a batch command did. */
export interface BatchResult {
  /** 0, or a negated errno: -ENOENT means that the end was reached, and `count` elements still came. */
  readonly result: number
  /** Elements that were copied, stored or deleted; 0 where the kernel did not say. */
  readonly count: number
}

/** Sizes of {@link mapBatch}. */
export interface MapBatchSizes {
  readonly keySize: number
  /** What the kernel copies: for a per-CPU map the value rounded up to 8 bytes, times the possible processors. */
  readonly valueSize: number
  /** Elements at most in one call. */
  readonly capacity: number
}

/**
 * The batch commands of one map (Linux 5.6), with their buffers allocated once: elements stand side by side in `keys`
 * and `values`.
 */
export interface MapBatch {
  readonly keys: Uint8Array
  readonly values: Uint8Array
  /**
   * BPF_MAP_LOOKUP_BATCH: the next elements, at most `count`, from the start where `first`. A hash whose bucket does
   * not fit answers -ENOSPC: use a larger capacity.
   */
  lookup(first: boolean, count?: number): BatchResult
  /** BPF_MAP_LOOKUP_AND_DELETE_BATCH. */
  lookupAndDelete(first: boolean, count?: number): BatchResult
  /** BPF_MAP_UPDATE_BATCH of the first `count` elements of `keys` and `values`. */
  update(count: number, elemFlags?: number): BatchResult
  /** BPF_MAP_DELETE_BATCH of the first `count` elements of `keys`. */
  delete(count: number): BatchResult
}

const enoent = failure('ENOENT')

/** The kernel keeps its place in a batch key: a bucket number, or a key for tries. */
const minBatchKey = 8

/** Prepares the batch commands of a map, whose own sizes the given ones must be. The descriptor stays the caller's. */
export function mapBatch(sys: Sys, fd: number, { keySize, valueSize, capacity }: MapBatchSizes): MapBatch {
  const keys = new Uint8Array(keySize * capacity)
  const values = new Uint8Array(valueSize * capacity)
  const place = new Uint8Array(Math.max(minBatchKey, keySize))
  const { offsets } = mapBatchAttr
  const attr = new Uint8Array(mapBatchAttr.size)
  const view = new DataView(attr.buffer)
  const atKeys: AttrPointer = { at: offsets.keys, buffer: keys }
  const keysAndValues: readonly AttrPointer[] = [atKeys, { at: offsets.values, buffer: values }]
  const fromStart = [{ at: offsets.out_batch, buffer: place }, ...keysAndValues]
  const onwards = [{ at: offsets.in_batch, buffer: place }, ...fromStart]

  const run = (cmd: number, pointers: readonly AttrPointer[], count: number, elemFlags = 0): BatchResult => {
    if (!(count >= 0 && count <= capacity))
      throw new RangeError(`a batch of ${count} exceeds ${capacity} elements`)
    attr.fill(0)
    view.setUint32(offsets.map_fd, fd, littleEndian)
    view.setUint32(offsets.count, count, littleEndian)
    view.setUint32(offsets.elem_flags, elemFlags, littleEndian)
    const result = sys.bpf(cmd, attr, pointers)
    // A refused call leaves what was asked for in `count`; only these two say how far they came.
    const done = view.getUint32(offsets.count, littleEndian)
    return { result, count: result === 0 || done < count || result === enoent ? done : 0 }
  }
  const lookup = commands.value('map_lookup_batch')
  const lookupAndDelete = commands.value('map_lookup_and_delete_batch')
  return {
    keys,
    values,
    lookup: (first, count = capacity) => run(lookup, first ? fromStart : onwards, count),
    lookupAndDelete: (first, count = capacity) => run(lookupAndDelete, first ? fromStart : onwards, count),
    update: (count, elemFlags) => run(commands.value('map_update_batch'), keysAndValues, count, elemFlags),
    delete: (count) => run(commands.value('map_delete_batch'), [atKeys], count),
  }
}
