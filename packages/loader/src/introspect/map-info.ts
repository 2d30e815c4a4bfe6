import { textUntilNul } from '@tsbpf/base'
import { mapGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { mapTypes } from '@tsbpf/uapi'
import { readAll, readById } from './listing.ts'

/** What the kernel says about a map (struct bpf_map_info). What an older kernel does not tell is 0. */
export interface KernelMapInfo {
  /** System-wide id. */
  readonly id: number
  /** Kernel spelling in lower case. */
  readonly type: string
  /** At most 15 bytes, as the kernel keeps it. */
  readonly name: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly extra: bigint
  /** Id of the BTF object that describes key and value, and the types in it; 0 for none. */
  readonly btfId: number
  readonly keyTypeId: number
  readonly valueTypeId: number
  /** Of a struct_ops map: type and BTF object of the kernel's structure. */
  readonly vmlinuxValueTypeId: number
  readonly vmlinuxBtfId: number
  readonly ifindex: number
  readonly netnsDev: bigint
  readonly netnsIno: bigint
}

/** What the kernel says about the map behind a descriptor (BPF_OBJ_GET_INFO_BY_FD, kernel 4.13). Throws `SyscallError`. */
export function mapInfo(sys: Sys, fd: number): KernelMapInfo {
  const info = mapGetInfo(sys, fd)
  return {
    id: info.id,
    type: mapTypes.format(info.type),
    name: textUntilNul(info.name),
    keySize: info.key_size,
    valueSize: info.value_size,
    maxEntries: info.max_entries,
    flags: info.map_flags,
    extra: info.map_extra,
    btfId: info.btf_id,
    keyTypeId: info.btf_key_type_id,
    valueTypeId: info.btf_value_type_id,
    vmlinuxValueTypeId: info.btf_vmlinux_value_type_id,
    vmlinuxBtfId: info.btf_vmlinux_id,
    ifindex: info.ifindex,
    netnsDev: info.netns_dev,
    netnsIno: info.netns_ino,
  }
}

/** All maps in the kernel, by rising id. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelMaps(sys: Sys): Generator<KernelMapInfo, void, void> {
  return readAll(sys, 'map', mapInfo)
}

/** The map of that id; `undefined` where there is none. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelMap(sys: Sys, id: number): KernelMapInfo | undefined {
  return readById(sys, 'map', id, mapInfo)
}
