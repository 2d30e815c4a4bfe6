import { isTsbpfError } from '@tsbpf/base'
import { openMapFd } from '@tsbpf/maps'
import type { MapSpec, ObjectSpec } from '@tsbpf/object'
import { errnoName, failure, objPin } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { OwnedFds } from './owned-fds.ts'

/** Where maps are pinned. */
export interface PinOptions {
  /**
   * Folder of a BPF file system for the maps that are pinned by name (`LIBBPF_PIN_BY_NAME`), and for those of `pins`;
   * /sys/fs/bpf unless given. It is made if it is not there; nothing is ever pinned outside.
   */
  readonly pinPath?: string
  /** File names in that folder by map name, instead of the map's own; `undefined` leaves the map unpinned. */
  readonly pins?: Readonly<Record<string, string | undefined>>
}

/** A path to pin a map at. */
export interface Pin {
  readonly folder: string
  readonly path: string
}

const usualFolder = '/sys/fs/bpf'

/** The pins that a load will make or find, by map name. Throws LOADER_UNKNOWN_MAP and LOADER_PIN_NAME. */
export function planPins(spec: ObjectSpec, options: PinOptions): ReadonlyMap<string, Pin> {
  const folder = options.pinPath ?? usualFolder
  const given = new Map(Object.entries(options.pins ?? {}))
  const known = spec.maps.map((map) => map.name)
  for (const name of given.keys()) {
    if (!known.includes(name)) throw errors.LOADER_UNKNOWN_MAP({ name, known })
  }
  const pins = new Map<string, Pin>()
  for (const map of spec.maps) {
    const file = given.has(map.name)
      ? given.get(map.name)
      : map.pinning === 'by_name'
        ? // Names with dots are the BPF file system's own.
          map.name.replaceAll('.', '_')
        : undefined
    if (file === undefined) continue
    // A name comes from the object: it must not lead out of the folder.
    if (!/^[^/.\0]{1,255}$/.test(file)) throw errors.LOADER_PIN_NAME({ map: map.name, file })
    pins.set(map.name, { folder, path: `${folder.replace(/\/+$/, '')}/${file}` })
  }
  return pins
}

const ENOENT = failure('ENOENT')
const EEXIST = failure('EEXIST')

/**
 * The descriptor of the map that is pinned there already, `undefined` where there is none. Throws MAP_INCOMPATIBLE,
 * which says what differs, and LOADER_PIN.
 */
export function reusePinned(sys: Sys, spec: MapSpec, { path }: Pin): number | undefined {
  const { type, keySize, valueSize, maxEntries, flags, extra } = spec
  try {
    const expect = { type, keySize, valueSize, maxEntries, flags, extra }
    return openMapFd(sys, { path }, { expect }).fd
  } catch (error) {
    if (!isTsbpfError(error, 'SYS_CALL_FAILED')) throw error
    if (resultOf(error) === ENOENT) return undefined
    throw refusedPin(spec, path, 'reused from', error)
  }
}

/**
 * Pins a map, also making the folder; false where something has come to be pinned there meanwhile. What it made is
 * removed again when the load fails. Throws LOADER_PIN.
 */
export function pinMap(sys: Sys, owned: OwnedFds, fd: number, spec: MapSpec, { folder, path }: Pin): boolean {
  const made = sys.mkdirat(linux.AT_FDCWD, folder, 0o700)
  if (made === 0) owned.defer(() => sys.unlinkat(linux.AT_FDCWD, folder, linux.AT_REMOVEDIR))
  else if (made !== EEXIST) throw refusedFolder(spec, folder, made)
  try {
    objPin(sys, path, fd)
  } catch (error) {
    if (!isTsbpfError(error, 'SYS_CALL_FAILED')) throw error
    if (resultOf(error) === EEXIST) return false
    throw refusedPin(spec, path, 'pinned at', error)
  }
  owned.defer(() => sys.unlinkat(linux.AT_FDCWD, path, 0))
  return true
}

function resultOf(error: { readonly context: Readonly<Record<string, unknown>> }): number {
  return -Number(error.context['errno'])
}

function refusedPin(
  spec: MapSpec,
  path: string,
  done: string,
  cause: { readonly context: Readonly<Record<string, unknown>> },
): Error {
  return errors.LOADER_PIN({ map: spec.name, done, path, errno: errnoName(resultOf(cause)) }, { cause })
}

function refusedFolder(spec: MapSpec, folder: string, result: number): Error {
  return errors.LOADER_PIN({ map: spec.name, done: 'pinned in', path: folder, errno: errnoName(result) })
}
