import { failure, mapBatch } from '@tsbpf/sys'
import { elemFlags } from '@tsbpf/uapi'
import { batchBytes, batchEntries } from './limits.ts'
import { isMissing } from './map-access.ts'
import type { MapAccess } from './map-access.ts'
import type { BatchCommand } from './operations.ts'
import { openVector, walk } from './walk.ts'

const ENOENT = failure('ENOENT')
const ENOSPC = failure('ENOSPC')

type Access = MapAccess<never, never>

/** Elements side by side, from a batch command's buffers or a vector's. */
interface Room {
  readonly capacity: number
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

/** How many elements fit one batch call. */
function batchCapacity(access: Access): number {
  const { keySize, valueSize } = access.sizes
  const fitting = Math.floor(batchBytes / Math.max(1, keySize + valueSize))
  return Math.max(1, Math.min(access.shape.maxEntries, batchEntries, fitting))
}

function hasBatch(access: Access, command: BatchCommand): boolean {
  return access.operations?.batch.includes(command) === true && !access.missing.has(command)
}

/** Values of keys, `undefined` where there is none: one system call for each, many in one crossing. */
export function getMany<K, V>(map: MapAccess<K, V>, keys: Iterable<K>): (V | undefined)[] {
  map.can('getMany', ({ get, key }) => get && key !== 'none')
  const wanted = [...keys]
  const vector = openVector(map as unknown as Access, wanted.length)
  const { keySize, valueSize } = map.sizes
  const { value } = map.codecs
  const view = new DataView(vector.values.buffer, vector.values.byteOffset, vector.values.byteLength)
  const found: (V | undefined)[] = []
  for (let start = 0; start < wanted.length; start += vector.capacity) {
    const count = Math.min(vector.capacity, wanted.length - start)
    for (let i = 0; i < count; i++) map.putKey(wanted[start + i] as K, vector.keys, i * keySize)
    vector.lookup(count)
    for (let i = 0; i < count; i++) {
      const result = vector.results[i] ?? 0
      if (result !== 0 && result !== ENOENT) throw map.refused('getMany', wanted[start + i], result)
      found.push(result === 0 ? value.decode(view, i * valueSize) : undefined)
    }
  }
  return found
}

/** Stores entries, up to the first that is refused. */
export function setMany<K, V>(
  map: MapAccess<K, V>,
  entries: Iterable<readonly [K, V]>,
  flags: number,
  lock: boolean,
): number {
  map.can('setMany', ({ set, key }) => set && key !== 'none')
  const access = map as unknown as Access
  const all = [...entries]
  let stored = 0
  const fill = ({ capacity, keys, values }: Room): number => {
    const { keySize, valueSize } = map.sizes
    const count = Math.min(capacity, all.length - stored)
    for (let i = 0; i < count; i++) {
      const entry = all[stored + i]
      if (entry === undefined) break
      const [key, value] = entry
      map.putKey(key, keys, i * keySize)
      map.putValue(key, value, values, i * valueSize)
    }
    return count
  }
  const elementFlags = flags | (lock ? elemFlags.value('lock') : 0)
  // The kernel takes no other flags in a batch.
  if (all.length > 1 && flags === elemFlags.value('any') && hasBatch(access, 'update')) {
    const capacity = Math.min(batchCapacity(access), all.length)
    const batch = mapBatch(map.sys, map.fd, { ...map.sizes, capacity })
    while (stored < all.length) {
      const { result, count } = batch.update(fill({ ...batch, capacity }), elementFlags)
      if (result < 0 && stored === 0 && count === 0 && isMissing(result)) {
        access.missing.add('update')
        break
      }
      stored += count
      if (result < 0) throw map.refused('set', all[stored]?.[0], result)
    }
  }
  if (stored === all.length) return stored
  const vector = openVector(access, all.length)
  while (stored < all.length) {
    const tried = vector.update(fill(vector), elementFlags)
    const result = vector.results[tried - 1] ?? 0
    stored += result === 0 ? tried : tried - 1
    if (result !== 0) throw map.refused('set', all[stored]?.[0], result)
  }
  return stored
}

/** Deletes the entries of keys; returns how many were there. */
export function deleteMany<K, V>(map: MapAccess<K, V>, keys: Iterable<K>): number {
  map.can('deleteMany', (operations) => operations.delete)
  const access = map as unknown as Access
  const all = [...keys]
  const { keySize } = map.sizes
  let done = 0
  let deleted = 0
  const fill = ({ capacity, keys: bytes }: Room): number => {
    const count = Math.min(capacity, all.length - done)
    for (let i = 0; i < count; i++) map.putKey(all[done + i] as K, bytes, i * keySize)
    return count
  }
  if (all.length > 1 && hasBatch(access, 'delete')) {
    const capacity = Math.min(batchCapacity(access), all.length)
    const batch = mapBatch(map.sys, map.fd, { ...map.sizes, capacity })
    while (done < all.length) {
      const { result, count } = batch.delete(fill({ ...batch, capacity }))
      if (result < 0 && done === 0 && count === 0 && isMissing(result)) {
        access.missing.add('delete')
        break
      }
      deleted += count
      done += count
      if (result === ENOENT) {
        // The kernel stops at a key that is not there; where one is missing, more may be.
        done++
        break
      }
      if (result < 0) throw map.refused('delete', all[done], result)
    }
  }
  if (done === all.length) return deleted
  const vector = openVector(access, all.length)
  while (done < all.length) {
    const count = fill(vector)
    vector.delete(count)
    for (let i = 0; i < count; i++) {
      const result = vector.results[i] ?? 0
      if (result === 0) deleted++
      else if (result !== ENOENT) throw map.refused('delete', all[done + i], result)
    }
    done += count
  }
  return deleted
}

/** Takes all entries out of a map. */
export function lookupAndDeleteMany<K, V>(map: MapAccess<K, V>): [K, V][] {
  const { lookupAndDelete } = map.can('lookupAndDeleteMany', (one) => one.delete && one.walk === 'keys')
  const access = map as unknown as Access
  const taken: [K, V][] = []
  if (hasBatch(access, 'lookup_and_delete') && takeBatches(map, taken)) return taken
  const { key, value } = map.codecs
  const entries = [
    ...walk(map, (keys, keyAt, values, valueAt): [K, V] => [
      key.decode(keys, keyAt),
      value.decode(values, valueAt),
    ]),
  ]
  if (!lookupAndDelete) {
    for (const entry of entries) if (deleteMany(map, [entry[0]]) === 1) taken.push(entry)
    return taken
  }
  for (const [one] of entries) {
    map.putKey(one, map.elements.key, 0)
    const result = map.elements.lookupAndDelete()
    if (result === 0) taken.push([one, value.decode(map.valueView, 0)])
    else if (result !== ENOENT) throw map.refused('lookupAndDelete', one, result)
  }
  return taken
}

/** False where the kernel has no such command; then nothing was taken. */
function takeBatches<K, V>(map: MapAccess<K, V>, taken: [K, V][]): boolean {
  const { keySize, valueSize } = map.sizes
  const { key, value } = map.codecs
  let capacity = batchCapacity(map as unknown as Access)
  let batch = mapBatch(map.sys, map.fd, { ...map.sizes, capacity })
  for (let first = true; ;) {
    const { result, count } = batch.lookupAndDelete(first)
    if (result === ENOSPC && count === 0 && capacity < map.shape.maxEntries * 2 + 64) {
      // A bucket holds more than the buffers. The kernel gave no place to go on from: begin again.
      capacity *= 2
      batch = mapBatch(map.sys, map.fd, { ...map.sizes, capacity })
      first = true
      continue
    }
    if (result < 0 && result !== ENOENT) {
      if (!first || !isMissing(result)) throw map.refused('lookupAndDelete', undefined, result)
      map.missing.add('lookup_and_delete')
      return false
    }
    const keys = new DataView(batch.keys.buffer, batch.keys.byteOffset)
    const values = new DataView(batch.values.buffer, batch.values.byteOffset)
    for (let i = 0; i < count; i++) {
      taken.push([key.decode(keys, i * keySize), value.decode(values, i * valueSize)])
    }
    if (result === ENOENT) return true
    first = false
  }
}
