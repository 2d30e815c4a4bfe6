import { failure, mapVector } from '@tsbpf/sys'
import type { MapVector } from '@tsbpf/sys'
import { openBatch } from './batch.ts'
import { errors } from './errors.ts'
import { KeySet } from './key-set.ts'
import { vectorBytes, vectorEntries } from './limits.ts'
import { isMissing } from './map-access.ts'
import type { MapAccess } from './map-access.ts'

/** Makes what a walk yields of one entry, whose bytes are in these buffers until the next one. */
export type Pick<T> = (keys: DataView, keyAt: number, values: DataView, valueAt: number) => T

type Access = MapAccess<never, never>

const ENOENT = failure('ENOENT')

/** Yields each entry of a map once, by batches where the kernel has them. */
export function walk<K, V, T>(map: MapAccess<K, V>, pick: Pick<T>): IterableIterator<T> {
  const access = map as unknown as Access
  const operations = access.can('iterate', (one) => one.walk !== 'none')
  const batches = operations.batch.includes('lookup') && !access.missing.has('lookup')
  // No generator of a generator: that would cost as much as reading an entry.
  return batches ? walkBatches(access, pick) : walkOne(access, pick)
}

function walkOne<T>(access: Access, pick: Pick<T>): IterableIterator<T> {
  return access.operations?.walk === 'keys' ? walkKeys(access, pick) : walkIndexes(access, pick)
}

function* walkBatches<T>(access: Access, pick: Pick<T>): IterableIterator<T> {
  const { keySize, valueSize } = access.sizes
  const { maxEntries } = access.shape
  const reader = openBatch(access.sys, access.fd, { key: keySize, value: valueSize, maxEntries })
  let result = reader.fetch()
  // Kernels before 5.6 know no batches, those before 5.13 none for per-CPU arrays.
  if (isMissing(result)) {
    access.missing.add('lookup')
    yield* walkOne(access, pick)
    return
  }
  for (;;) {
    if (result < 0) throw access.refused('iterate', undefined, result)
    for (let i = 0; i < reader.count; i++) {
      yield pick(reader.keys, i * keySize, reader.values, i * valueSize)
    }
    if (reader.done) return
    access.live()
    result = reader.fetch()
  }
}

/** Buffers of the walk's own: other operations of the map do not disturb it. */
export function openVector(
  access: MapAccess<never, never>,
  entries: number,
): MapVector & { readonly capacity: number } {
  const { keySize, valueSize } = access.sizes
  const fitting = Math.floor(vectorBytes / Math.max(1, keySize + valueSize))
  const capacity = Math.max(1, Math.min(entries, vectorEntries, fitting))
  return { ...mapVector(access.sys, access.fd, { keySize, valueSize, capacity }), capacity }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function* walkIndexes<T>(access: Access, pick: Pick<T>): IterableIterator<T> {
  const { maxEntries } = access.shape
  const vector = openVector(access, maxEntries)
  const keys = viewOf(vector.keys)
  const values = viewOf(vector.values)
  const { valueSize } = access.sizes
  for (let start = 0; start < maxEntries; start += vector.capacity) {
    access.live()
    const count = Math.min(vector.capacity, maxEntries - start)
    for (let i = 0; i < count; i++) keys.setUint32(i * 4, start + i, true)
    vector.lookup(count)
    for (let i = 0; i < count; i++) {
      const result = vector.results[i] ?? 0
      if (result === 0) yield pick(keys, i * 4, values, i * valueSize)
      // An empty slot.
      else if (result !== ENOENT) throw access.refused('iterate', start + i, result)
    }
  }
}

/**
 * The kernel answers the question for the key after one that is gone with the first key of the map. So the walk ends
 * where a key comes again; up to there nothing that stayed was left out or came twice.
 */
function* walkKeys<T>(access: Access, pick: Pick<T>): IterableIterator<T> {
  const { elements } = access
  const { keySize, valueSize } = access.sizes
  const { name: map, maxEntries } = access.shape
  // Cgroup storage is made without a limit.
  const mostEntries = maxEntries === 0 ? Infinity : maxEntries
  let result = elements.getFirstKey()
  if (result === ENOENT) return
  if (result < 0) throw access.refused('iterate', undefined, result)
  const vector = openVector(access, mostEntries)
  const { keys } = vector
  const [keysView, valuesView] = [viewOf(keys), viewOf(vector.values)]
  const known = new KeySet(keySize, maxEntries)
  keys.set(elements.nextKey)
  for (let seen = 0; ; keys.copyWithin(0, vector.capacity * keySize)) {
    access.live()
    const found = vector.getNextKeys(vector.capacity)
    const more = found === vector.capacity
    result = more ? 0 : (vector.results[found] ?? 0)
    if (result !== 0 && result !== ENOENT) throw access.refused('iterate', undefined, result)
    const count = more ? found : found + 1
    vector.lookup(count)
    for (let i = 0; i < count; i++) {
      if (!known.add(keys, i * keySize)) throw errors.MAP_ITERATION_CUT_SHORT({ map, seen })
      const looked = vector.results[i] ?? 0
      if (looked === ENOENT) continue
      if (looked !== 0) throw access.refused('iterate', undefined, looked)
      if (seen === mostEntries) throw errors.MAP_ITERATION_CUT_SHORT({ map, seen })
      seen++
      yield pick(keysView, i * keySize, valuesView, i * valueSize)
    }
    if (!more) return
  }
}
