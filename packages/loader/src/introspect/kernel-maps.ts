import { readMapInfo } from '@tsbpf/maps'
import type { MapInfo } from '@tsbpf/maps'
import type { Sys } from '@tsbpf/sys'
import { readAll, readById } from './listing.ts'

/** All maps in the kernel, by rising id. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelMaps(sys: Sys): Generator<MapInfo, void, void> {
  return readAll(sys, 'map', readMapInfo)
}

/** The map of that id; `undefined` where there is none. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelMap(sys: Sys, id: number): MapInfo | undefined {
  return readById(sys, 'map', id, readMapInfo)
}
