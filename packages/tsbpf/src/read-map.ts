import { isTsbpfError } from '@tsbpf/base'
import type { BpfMap } from '@tsbpf/maps'
import { maxMapEntries } from './limits.ts'
import type { MapEntries } from './map-table.ts'

/** What a map held at one moment. */
export interface MapSnapshot {
  readonly entries: MapEntries
  /** True where there were more entries than are read at a time, or the walk was cut short by deletions. */
  readonly truncated: boolean
}

/** Reads the entries of a map, up to a limit; entries may come and go meanwhile. */
export function readMap(map: Iterable<[unknown, unknown]> | BpfMap, limit = maxMapEntries): MapSnapshot {
  const entries: [unknown, unknown][] = []
  try {
    for (const entry of map) {
      if (entries.length === limit) return { entries, truncated: true }
      entries.push(entry)
    }
  } catch (error) {
    if (!isTsbpfError(error, 'MAP_ITERATION_CUT_SHORT')) throw error
    return { entries, truncated: true }
  }
  return { entries, truncated: false }
}
