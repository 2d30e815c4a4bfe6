/**
 * Types by hash, in which deduplication looks for equal ones. Each id is in it at most once. It grows as libbpf's
 * hashmap does (tools/lib/bpf/hashmap.c): newest first, and turned around each time it doubles, so that of several
 * candidates the same one is met first, and the result is the same.
 */
export interface CandidateTable {
  add(hash: number, id: number): void
  /** The first id with that hash; 0 for none. */
  first(hash: number): number
  /** The next id with the same hash; 0 for none. */
  after(id: number): number
}

/** `HASHMAP_MIN_CAP_BITS`. */
const leastBits = 2

/** An empty table for ids below `endId`. */
export function candidateTable(endId: number): CandidateTable {
  let bits = 0
  let heads = new Uint32Array(0)
  let count = 0
  const next = new Uint32Array(endId)
  const hashes = new Uint32Array(endId)
  const bucketOf = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> (32 - bits)
  const push = (id: number): void => {
    const bucket = bucketOf(hashes[id] ?? 0)
    next[id] = heads[bucket] ?? 0
    heads[bucket] = id
  }
  const grow = (): void => {
    const before = heads
    bits = Math.max(leastBits, bits + 1)
    heads = new Uint32Array(1 << bits)
    for (const head of before) {
      for (let id = head; id !== 0;) {
        const following = next[id] ?? 0
        push(id)
        id = following
      }
    }
  }
  const from = (start: number, hash: number): number => {
    let id = start
    while (id !== 0 && hashes[id] !== hash) id = next[id] ?? 0
    return id
  }
  return {
    add(hash, id) {
      if (heads.length === 0 || Math.floor(((count + 1) * 4) / 3) > heads.length) grow()
      hashes[id] = hash
      push(id)
      count++
    },
    first: (hash) => (heads.length === 0 ? 0 : from(heads[bucketOf(hash >>> 0)] ?? 0, hash >>> 0)),
    after: (id) => from(next[id] ?? 0, hashes[id] ?? 0),
  }
}
