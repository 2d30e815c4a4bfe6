import { fdById, objGet } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { mapFlags } from '@tsbpf/uapi'
import { mapFromFd } from './create-map.ts'
import type { MapCodecs } from './create-map.ts'
import type { BpfMap } from './bpf-map.ts'
import { errors } from './errors.ts'
import { readMapInfo } from './map-info.ts'
import type { MapShape } from './map-shape.ts'

/** Options of {@link openMap}. */
export interface OpenMapOptions<K, V> {
  readonly codecs?: MapCodecs<K, V>
  /** What the map must be; members that are left out may be anything. A `MapSpec` of `@tsbpf/object` is one. */
  readonly expect?: Partial<Pick<MapShape, 'type' | 'keySize' | 'valueSize' | 'maxEntries' | 'flags'>> & {
    readonly extra?: bigint
  }
  /** `rdonly` and `wronly` open a map for one direction alone. */
  readonly access?: 'rdonly' | 'wronly'
}

/** The kernel sets it for these types by itself (kernel/bpf/devmap.c). */
const alwaysReadOnlyToPrograms = new Set(['devmap', 'devmap_hash'])

/**
 * Opens a map that exists: pinned at a path, by its id (CAP_SYS_ADMIN), or by a descriptor, which is taken over also
 * where this throws. Throws MAP_INCOMPATIBLE, which says what differs, MAP_CODEC_SIZE, MAP_INFO and `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { openMap } from '@tsbpf/maps'
 * using map = openMap(sys, { path: '/sys/fs/bpf/counts' }, { expect: { type: 'hash', keySize: 4, valueSize: 8 } })
 * ```
 */
export function openMap<K = Uint8Array, V = Uint8Array>(
  sys: Sys,
  which: { readonly path: string } | { readonly id: number } | { readonly fd: number },
  options: OpenMapOptions<K, V> = {},
): BpfMap<K, V> {
  const { fd, shape } = openMapFd(sys, which, options)
  return mapFromFd(sys, fd, shape, options.codecs)
}

/** As {@link openMap}, without codecs: gives the descriptor, which the caller owns. */
export function openMapFd(
  sys: Sys,
  which: { readonly path: string } | { readonly id: number } | { readonly fd: number },
  options: Omit<OpenMapOptions<unknown, unknown>, 'codecs'> = {},
): { readonly fd: number; readonly shape: MapShape } {
  const flags = options.access === undefined ? 0 : mapFlags.value(options.access)
  const fd =
    'path' in which
      ? objGet(sys, which.path, flags)
      : 'id' in which
        ? fdById(sys, 'map', which.id, flags)
        : which.fd
  try {
    const info = readMapInfo(sys, fd)
    const shape = { ...info, kernelName: info.name }
    checkCompatible('path' in which ? which.path : `map ${shape.name}`, shape, options.expect ?? {})
    return { fd, shape }
  } catch (error) {
    sys.close(fd)
    throw error
  }
}

function checkCompatible(
  what: string,
  actual: MapShape & { readonly extra: bigint },
  expected: NonNullable<OpenMapOptions<unknown, unknown>['expect']>,
): void {
  const own = alwaysReadOnlyToPrograms.has(actual.type) ? mapFlags.value('rdonly_prog') : 0
  const rows = [
    ['type', actual.type, expected.type],
    ['key size', actual.keySize, expected.keySize],
    ['value size', actual.valueSize, expected.valueSize],
    ['max entries', actual.maxEntries, expected.maxEntries],
    ['map_extra', actual.extra, expected.extra],
    ['flags', actual.flags | own, expected.flags === undefined ? undefined : expected.flags | own],
  ] as const
  const differences = rows
    .filter(([, is, wanted]) => wanted !== undefined && is !== wanted)
    .map(([name, is, wanted]) => `its ${name} is ${is}, not ${wanted ?? ''}`)
  if (differences.length > 0) throw errors.MAP_INCOMPATIBLE({ what, differences })
}
