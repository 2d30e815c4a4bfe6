import { objGet, objUnpin } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { readMapInfo } from './map-info.ts'

/** Where a map is pinned: a path, or a name in a directory, the map's own unless given. */
export type PinPlace = string | { readonly directory: string; readonly name?: string }

/** Bytes of a file name, NAME_MAX of include/uapi/linux/limits.h. */
const longestName = 255

/** The path of a place. A name never leads out of its directory: MAP_PIN_NAME. */
export function pinPath(map: string, where: PinPlace): string {
  if (typeof where === 'string') return where
  const { directory, name = map } = where
  const length = new TextEncoder().encode(name).length
  if (length === 0 || length > longestName || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw errors.MAP_PIN_NAME({ map, name, directory })
  }
  return `${directory}/${name}`
}

/** Removes a path, if it is this map's. */
export function unpin(sys: Sys, fd: number, map: string, path: string): void {
  const { id } = readMapInfo(sys, fd)
  const pinned = objGet(sys, path)
  try {
    const found = readMapInfo(sys, pinned).id
    if (found !== id) throw errors.MAP_PIN_OTHER({ map, path, id, found })
  } finally {
    sys.close(pinned)
  }
  objUnpin(sys, path)
}
