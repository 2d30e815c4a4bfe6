/** What user space can do with the elements of a map type, as far as {@link BpfMap} does it. */
export interface MapOperations {
  /** How entries are enumerated: by index, by walking keys, or not at all. */
  readonly walk: 'index' | 'keys' | 'none'
  /** The kernel can delete an element. */
  readonly delete: boolean
  /** A value is an array with one element for each possible processor. */
  readonly perCpu: boolean
  /** The kernel enumerates in batches without repeating or losing what does not change (BPF_MAP_LOOKUP_BATCH). */
  readonly batch: boolean
}

const hash: MapOperations = { walk: 'keys', delete: true, perCpu: false, batch: true }
const array: MapOperations = { walk: 'index', delete: false, perCpu: false, batch: true }

/**
 * The map types whose elements {@link BpfMap} reads and writes; a type that is not here can be created and
 * given to programs, but its elements cannot be used yet (MAP_UNSUPPORTED_OPERATION).
 */
export const mapOperations: ReadonlyMap<string, MapOperations> = new Map([
  ['hash', hash],
  ['lru_hash', hash],
  ['percpu_hash', { ...hash, perCpu: true }],
  ['lru_percpu_hash', { ...hash, perCpu: true }],
  ['array', array],
  ['percpu_array', { ...array, perCpu: true }],
  // The kernel restarts a walk, and a batch, at the first key when the key it stood on is gone.
  ['lpm_trie', { ...hash, batch: false }],
])
