import type { ValueOf } from '@tsbpf/base'
import { linux, mapCreateAttr, type MapCreateAttrFields } from '@tsbpf/uapi'
import { demand, pointerTo } from './command.ts'
import { objectName } from './object-name.ts'
import type { Sys } from './sys.ts'

/** Fields of BPF_MAP_CREATE by their kernel names; those left out are 0. */
export interface MapCreateFields extends Omit<
  Partial<ValueOf<MapCreateAttrFields>>,
  'map_name' | 'excl_prog_hash' | 'excl_prog_hash_size'
> {
  readonly map_type: number
  /** At most 15 bytes are kept, of letters, digits, `_` and `.`: the kernel refuses others. */
  readonly map_name?: string
  readonly excl_prog_hash?: Uint8Array
}

/**
 * Makes a map (BPF_MAP_CREATE) and returns its descriptor, which the caller closes. Throws `SyscallError`.
 *
 * @example
 * ```ts
 * import { mapCreate } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * import { mapTypes } from '@tsbpf/uapi'
 * const sys = nativeSys()
 * const fd = mapCreate(sys, { map_type: mapTypes.value('array'), key_size: 4, value_size: 8, max_entries: 1 })
 * sys.close(fd)
 * ```
 */
export function mapCreate(sys: Sys, fields: MapCreateFields): number {
  const { map_name: name, excl_prog_hash: hash, ...rest } = fields
  return demand(
    sys,
    'map_create',
    mapCreateAttr,
    { ...rest, map_name: objectName(name, linux.BPF_OBJ_NAME_LEN), excl_prog_hash_size: hash?.length ?? 0 },
    hash === undefined ? undefined : [pointerTo(mapCreateAttr, 'excl_prog_hash', hash)],
    name,
  ).result
}
