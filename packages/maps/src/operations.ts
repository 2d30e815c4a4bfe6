/** The batch commands of bpf(2) that a map type answers, without `map_` and `_batch`. */
export type BatchCommand = 'lookup' | 'lookup_and_delete' | 'update' | 'delete'

/** What user space can do with a map type, as the running kernel's own sources have it; see {@link mapOperations}. */
export interface MapOperations {
  /** First kernel that has the type; `undefined` where no released kernel was read that has it. */
  readonly sinceKernel: string | undefined
  /**
   * What a key is: bytes of any meaning, an index below `maxEntries`, a prefix (length and address), the descriptor of
   * the object that owns the value, or nothing at all.
   */
  readonly key: 'any' | 'index' | 'prefix' | 'fd' | 'none'
  /** What a value is: bytes of any meaning, or an object: its descriptor is written, its id (a socket's cookie) is read. */
  readonly value: 'any' | 'object' | 'none'
  /**
   * How entries are enumerated: each index has one (`index`), each index may have one (`slots`), by asking for the key
   * after a key (`keys`), or not at all.
   */
  readonly walk: 'index' | 'slots' | 'keys' | 'none'
  /** `get` and `has`; without a key `peek`, of a Bloom filter `hasValue`. */
  readonly get: boolean
  /** `set`; without a key `push`. */
  readonly set: boolean
  readonly delete: boolean
  /** `lookupAndDelete`; without a key `pop`. */
  readonly lookupAndDelete: boolean
  /** A value is an array with one element for each possible processor. */
  readonly perCpu: boolean
  readonly batch: readonly BatchCommand[]
  /** What else it is for: a stream of its own, memory that can be mapped, programs alone. */
  readonly use: string | undefined
}

const nothing: MapOperations = {
  sinceKernel: undefined,
  key: 'none',
  value: 'none',
  walk: 'none',
  get: false,
  set: false,
  delete: false,
  lookupAndDelete: false,
  perCpu: false,
  batch: [],
  use: undefined,
}

const entries: MapOperations = {
  ...nothing,
  key: 'any',
  value: 'any',
  walk: 'keys',
  get: true,
  set: true,
  delete: true,
}
const hash: MapOperations = {
  ...entries,
  lookupAndDelete: true,
  batch: ['lookup', 'lookup_and_delete', 'update', 'delete'],
}
const array: MapOperations = {
  ...entries,
  key: 'index',
  walk: 'index',
  delete: false,
  batch: ['lookup', 'update'],
}
/** Indexes that may be empty. */
const slots: MapOperations = { ...entries, key: 'index', walk: 'slots' }
const objects: MapOperations = { ...slots, value: 'object' }
/** One value for each kernel object that has one; the object is named by a descriptor. */
const storage: MapOperations = { ...entries, key: 'fd', walk: 'none' }
const fifo: MapOperations = { ...nothing, value: 'any', get: true, set: true, lookupAndDelete: true }

/**
 * What user space can do with each map type of the kernel.
 *
 * Source: the `bpf_map_ops` in kernel/bpf/ and net/core/, and map_lookup_elem and its siblings in kernel/bpf/syscall.c.
 *
 * @example
 * ```ts
 * import { mapOperations } from '@tsbpf/maps'
 * console.log(mapOperations.get('lpm_trie')?.walk) // keys
 * ```
 */
export const mapOperations: ReadonlyMap<string, MapOperations> = new Map<string, MapOperations>([
  ['hash', { ...hash, sinceKernel: '3.19' }],
  ['array', { ...array, sinceKernel: '3.19', use: 'mapped memory (5.5)' }],
  ['prog_array', { ...objects, sinceKernel: '4.2' }],
  [
    'perf_event_array',
    {
      ...objects,
      sinceKernel: '4.3',
      get: false,
      walk: 'none',
      use: 'openPerfBuffer reads what programs output',
    },
  ],
  ['percpu_hash', { ...hash, sinceKernel: '4.6', perCpu: true }],
  ['percpu_array', { ...array, sinceKernel: '4.6', perCpu: true }],
  ['stack_trace', { ...entries, sinceKernel: '4.6', set: false, use: 'stacks of addresses by id' }],
  ['cgroup_array', { ...objects, sinceKernel: '4.8', get: false, walk: 'none' }],
  ['lru_hash', { ...hash, sinceKernel: '4.10' }],
  ['lru_percpu_hash', { ...hash, sinceKernel: '4.10', perCpu: true }],
  // The kernel restarts a batch, too, at the first key when the key it stood on is gone: it is not used to read.
  ['lpm_trie', { ...entries, sinceKernel: '4.11', key: 'prefix', batch: ['update', 'delete'] }],
  ['array_of_maps', { ...objects, sinceKernel: '4.12' }],
  ['hash_of_maps', { ...entries, sinceKernel: '4.12', value: 'object' }],
  ['devmap', { ...slots, sinceKernel: '4.14' }],
  ['sockmap', { ...objects, sinceKernel: '4.14', use: 'cookies are read where values have 8 bytes' }],
  ['cpumap', { ...slots, sinceKernel: '4.15' }],
  ['xskmap', { ...objects, sinceKernel: '4.18', get: false, walk: 'none' }],
  [
    'sockhash',
    {
      ...entries,
      sinceKernel: '4.18',
      value: 'object',
      use: 'cookies are read where values have 8 bytes',
    },
  ],
  // Entries come and go with the programs that are attached to cgroups.
  ['cgroup_storage', { ...entries, sinceKernel: '4.19', delete: false }],
  [
    'reuseport_sockarray',
    { ...objects, sinceKernel: '4.19', use: 'cookies are read where values have 8 bytes' },
  ],
  ['percpu_cgroup_storage', { ...entries, sinceKernel: '4.20', delete: false, perCpu: true }],
  ['queue', { ...fifo, sinceKernel: '4.20' }],
  ['stack', { ...fifo, sinceKernel: '4.20' }],
  ['sk_storage', { ...storage, sinceKernel: '5.2' }],
  ['devmap_hash', { ...entries, sinceKernel: '5.4' }],
  [
    'struct_ops',
    { ...nothing, sinceKernel: '5.6', key: 'index', value: 'any', get: true, set: true, delete: true },
  ],
  ['ringbuf', { ...nothing, sinceKernel: '5.8', use: 'openRingBuffer reads what programs output' }],
  ['inode_storage', { ...storage, sinceKernel: '5.10' }],
  ['task_storage', { ...storage, sinceKernel: '5.11' }],
  ['bloom_filter', { ...fifo, sinceKernel: '5.16', lookupAndDelete: false }],
  ['user_ringbuf', { ...nothing, sinceKernel: '6.1', use: 'openUserRingBuffer writes what programs drain' }],
  ['cgrp_storage', { ...storage, sinceKernel: '6.2' }],
  ['arena', { ...nothing, sinceKernel: '6.9', use: 'mapped memory' }],
  ['insn_array', { ...array, sinceKernel: '6.19', batch: [] }],
  ['rhash', { ...hash, batch: [] }],
])
