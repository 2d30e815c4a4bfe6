import { commands, mapElemAttr } from '@tsbpf/uapi'
import { type CommandName, littleEndian } from './command.ts'
import { prepareBpf } from './prepare-bpf.ts'
import type { BpfCallSpec, PreparedCall, PreparedPointer, Sys } from './sys.ts'

/** Sizes of {@link mapVector}. */
export interface MapVectorSizes {
  readonly keySize: number
  /** What the kernel copies: for a per-CPU map the value rounded up to 8 bytes, times the possible processors. */
  readonly valueSize: number
  /** Elements at most in one crossing. */
  readonly capacity: number
}

/**
 * The element commands of one map, many in one crossing into native code: elements stand side by side in `keys` and
 * `values`, and `results` has what the kernel said to each. Each is a system call of its own, as for a loop in C.
 */
export interface MapVector {
  /** One key more than `capacity`, for `getNextKeys`. */
  readonly keys: Uint8Array
  readonly values: Uint8Array
  readonly results: Int32Array
  /** BPF_MAP_LOOKUP_ELEM of the first `count` keys. */
  lookup(count: number, flags?: number): void
  /** BPF_MAP_UPDATE_ELEM, up to the first that is refused; returns how many were tried. */
  update(count: number, flags?: number): number
  /** BPF_MAP_DELETE_ELEM. */
  delete(count: number): void
  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM, up to the first that is refused; returns how many were tried. */
  lookupAndDelete(count: number): number
  /** BPF_MAP_GET_NEXT_KEY after the first key, after that one, …; returns how many keys were found behind it. */
  getNextKeys(count: number): number
}

/**
 * Prepares a vector of element commands for a map, whose own sizes the given ones must be. The descriptor stays the
 * caller's.
 *
 * @example
 * ```ts
 * import { mapCreate, mapVector } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * const sys = nativeSys()
 * const fd = mapCreate(sys, { map_type: 2, key_size: 4, value_size: 8, max_entries: 4 })
 * const vector = mapVector(sys, fd, { keySize: 4, valueSize: 8, capacity: 4 })
 * vector.keys.set([0, 0, 0, 0, 1, 0, 0, 0])
 * vector.lookup(2)
 * console.log(vector.results.subarray(0, 2), vector.values.length) // 0 0, 32
 * sys.close(fd)
 * ```
 */
export function mapVector(sys: Sys, fd: number, { keySize, valueSize, capacity }: MapVectorSizes): MapVector {
  const { offsets } = mapElemAttr
  const [keys, values] = [0, 1]
  const atKey: PreparedPointer = { at: offsets.key, buffer: keys, size: keySize, step: keySize }
  const atNext: PreparedPointer = { ...atKey, at: offsets.next_key, offset: keySize }
  const atValue: PreparedPointer = { at: offsets.value, buffer: values, size: valueSize, step: valueSize }
  const spec = (name: CommandName, pointers: readonly PreparedPointer[]): BpfCallSpec => ({
    cmd: commands.value(name),
    attr: mapElemAttr.encode({ map_fd: fd }, littleEndian),
    pointers,
    repeat: capacity,
  })
  const { buffers, calls } = prepareBpf(
    sys,
    [keySize * (capacity + 1), valueSize * capacity],
    [
      spec('map_lookup_elem', [atKey, atValue]),
      spec('map_update_elem', [atKey, atValue]),
      spec('map_delete_elem', [atKey]),
      spec('map_lookup_and_delete_elem', [atKey, atValue]),
      spec('map_get_next_key', [atKey, atNext]),
    ],
  )
  const [lookup, update, remove, lookupAndDelete, next] = calls as FiveCalls
  const [keyBytes, valueBytes] = buffers as TwoBuffers
  const results = new Int32Array(capacity)
  const run = (call: PreparedCall, count: number, stop: boolean, flags = 0): number => {
    new DataView(call.attr.buffer, call.attr.byteOffset).setUint32(offsets.flags, flags, littleEndian)
    const made = call.runMany(count, stop)
    if (made > 0) results.set(call.results.subarray(0, made))
    else results.fill(made, 0, count)
    return made > 0 ? made : Math.min(count, 1)
  }
  return {
    keys: keyBytes,
    values: valueBytes,
    results,
    lookup: (count, flags) => void run(lookup, count, false, flags),
    update: (count, flags) => run(update, count, true, flags),
    delete: (count) => void run(remove, count, false),
    lookupAndDelete: (count) => run(lookupAndDelete, count, true),
    getNextKeys: (count) => {
      const made = run(next, count, true)
      return made > 0 && results[made - 1] !== 0 ? made - 1 : made
    },
  }
}

type FiveCalls = readonly [PreparedCall, PreparedCall, PreparedCall, PreparedCall, PreparedCall]
type TwoBuffers = readonly [Uint8Array, Uint8Array]
