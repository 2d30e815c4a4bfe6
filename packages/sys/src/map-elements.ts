import { commands, mapElemAttr } from '@tsbpf/uapi'
import { type CommandName, demand, littleEndian } from './command.ts'
import { prepareBpf } from './prepare-bpf.ts'
import type { BpfCallSpec, PreparedCall, Sys } from './sys.ts'

/**
 * The element commands of one map, with everything they need allocated once: fill `key` and `value`, call, read.
 *
 * Each call returns the kernel's result, a negated errno for a refusal (-ENOENT for a key that is not there), and
 * allocates nothing. The buffers are those of this object, as long as the kernel copies, so none can be overrun.
 */
export interface MapElements {
  /** `key_size` bytes. */
  readonly key: Uint8Array
  /** The key after `key`, written by `getNextKey`. */
  readonly nextKey: Uint8Array
  /** `value_size` bytes; for a per-CPU map 8-byte steps, one for each possible processor. */
  readonly value: Uint8Array
  /** BPF_MAP_LOOKUP_ELEM. */
  lookup(flags?: number): number
  /** BPF_MAP_UPDATE_ELEM. */
  update(flags?: number): number
  /** BPF_MAP_DELETE_ELEM. */
  delete(): number
  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM. */
  lookupAndDelete(flags?: number): number
  /** BPF_MAP_GET_NEXT_KEY after `key`, into `nextKey`. */
  getNextKey(): number
  /** BPF_MAP_GET_NEXT_KEY without a key, into `nextKey`: the first. */
  getFirstKey(): number
}

/** Sizes of {@link mapElements} in bytes. */
export interface MapElementSizes {
  readonly keySize: number
  /** What the kernel copies: for a per-CPU map the value rounded up to 8 bytes, times the possible processors. */
  readonly valueSize: number
}

/**
 * Prepares the element commands of a map. The sizes must be the map's own: the kernel copies as many bytes as the map
 * was made with. The descriptor stays the caller's.
 *
 * @example
 * ```ts
 * import { mapCreate, mapElements } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * const sys = nativeSys()
 * const fd = mapCreate(sys, { map_type: 1, key_size: 4, value_size: 8, max_entries: 4 })
 * const elements = mapElements(sys, fd, { keySize: 4, valueSize: 8 })
 * elements.value[0] = 7
 * console.log(elements.update(), elements.lookup(), elements.value[0]) // 0 0 7
 * sys.close(fd)
 * ```
 */
export function mapElements(sys: Sys, fd: number, { keySize, valueSize }: MapElementSizes): MapElements {
  const { offsets } = mapElemAttr
  const [key, nextKey, value] = [0, 1, 2]
  const atKey = { at: offsets.key, buffer: key }
  const keyAndValue = [atKey, { at: offsets.value, buffer: value }]
  const atNext = { at: offsets.next_key, buffer: nextKey }

  // One attr for each command: the kernel refuses one whose unused fields are not zero.
  const spec = (name: CommandName, pointers: BpfCallSpec['pointers']): BpfCallSpec => ({
    cmd: commands.value(name),
    attr: mapElemAttr.encode({ map_fd: fd }, littleEndian),
    pointers,
  })
  const { buffers, calls } = prepareBpf(
    sys,
    [keySize, keySize, valueSize],
    [
      spec('map_lookup_elem', keyAndValue),
      spec('map_update_elem', keyAndValue),
      spec('map_delete_elem', [atKey]),
      spec('map_lookup_and_delete_elem', keyAndValue),
      spec('map_get_next_key', [atKey, atNext]),
      spec('map_get_next_key', [atNext]),
    ],
  )
  const [lookup, update, remove, lookupAndDelete, after, first] = calls as SixCalls
  const [keyBytes, nextKeyBytes, valueBytes] = buffers as ThreeBuffers
  return {
    key: keyBytes,
    nextKey: nextKeyBytes,
    value: valueBytes,
    lookup: withFlags(lookup),
    update: withFlags(update),
    delete: remove.run,
    lookupAndDelete: withFlags(lookupAndDelete),
    getNextKey: after.run,
    getFirstKey: first.run,
  }
}

type SixCalls = readonly [PreparedCall, PreparedCall, PreparedCall, PreparedCall, PreparedCall, PreparedCall]
type ThreeBuffers = readonly [Uint8Array, Uint8Array, Uint8Array]

/** The call with its flags as parameter, written only when they change. */
function withFlags({ attr, run }: PreparedCall): (flags?: number) => number {
  const view = new DataView(attr.buffer, attr.byteOffset, attr.byteLength)
  let last = 0
  return (flags = 0) => {
    if (flags !== last) {
      view.setUint32(mapElemAttr.offsets.flags, flags, littleEndian)
      last = flags
    }
    return run()
  }
}

/** Ends writing of a map from user space (BPF_MAP_FREEZE, Linux 5.2). Throws `SyscallError`. */
export function mapFreeze(sys: Sys, fd: number): void {
  demand(sys, 'map_freeze', mapElemAttr, { map_fd: fd })
}
