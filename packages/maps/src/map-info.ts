import { isTsbpfError, textUntilNul } from '@tsbpf/base'
import { mapTypes } from '@tsbpf/uapi'
import { mapGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errnoOf } from './errno-of.ts'
import { errors } from './errors.ts'

/** What the kernel says about a map (struct bpf_map_info). Fields that an older kernel does not fill are 0. */
export interface MapInfo {
  /** System-wide id. */
  readonly id: number
  /** Kernel spelling in lower case; `map_type(57)` for one that is not known. */
  readonly type: string
  readonly typeValue: number
  /** At most 15 bytes, as the kernel keeps it. */
  readonly name: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly extra: bigint
  /** Id of the BTF object that describes key and value; 0 for none. */
  readonly btfId: number
  readonly keyTypeId: number
  readonly valueTypeId: number
  /** Of a struct_ops map: type and BTF object of the kernel's structure. */
  readonly vmlinuxValueTypeId: number
  readonly vmlinuxBtfId: number
  /** Of a map that a network device has: its index, and the network namespace that it is in. */
  readonly ifindex: number
  readonly netnsDev: bigint
  readonly netnsIno: bigint
}

/**
 * What the kernel says about the map behind a descriptor, which stays the caller's (BPF_OBJ_GET_INFO_BY_FD of
 * kernel/bpf/syscall.c, kernel 4.13). Throws MAP_INFO.
 *
 * @example
 * ```ts no-run
 * import { readMapInfo } from '@tsbpf/maps'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(readMapInfo(nativeSys(), 7).maxEntries)
 * ```
 */
export function readMapInfo(sys: Sys, fd: number): MapInfo {
  const raw = rawInfo(sys, fd)
  return {
    id: raw.id,
    type: mapTypes.format(raw.type),
    typeValue: raw.type,
    name: textUntilNul(raw.name),
    keySize: raw.key_size,
    valueSize: raw.value_size,
    maxEntries: raw.max_entries,
    flags: raw.map_flags,
    extra: raw.map_extra,
    btfId: raw.btf_id,
    keyTypeId: raw.btf_key_type_id,
    valueTypeId: raw.btf_value_type_id,
    vmlinuxValueTypeId: raw.btf_vmlinux_value_type_id,
    vmlinuxBtfId: raw.btf_vmlinux_id,
    ifindex: raw.ifindex,
    netnsDev: raw.netns_dev,
    netnsIno: raw.netns_ino,
  }
}

function rawInfo(sys: Sys, fd: number): ReturnType<typeof mapGetInfo> {
  try {
    return mapGetInfo(sys, fd)
  } catch (cause) {
    if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
    throw errors.MAP_INFO({ fd, errno: errnoOf(cause) }, { cause })
  }
}
