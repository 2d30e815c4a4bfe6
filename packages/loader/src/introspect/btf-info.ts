import { textUntilNul } from '@tsbpf/base'
import { objGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { btfInfo as layout } from '@tsbpf/uapi'
import { readAll, readById } from './listing.ts'

/** What the kernel says about a BTF object (struct bpf_btf_info). */
export interface KernelBtfInfo {
  /** System-wide id. */
  readonly id: number
  /** Bytes of it. */
  readonly size: number
  /** `vmlinux`, a module, or empty for that of programs and maps (kernel 5.11). */
  readonly name: string
  /** It is the kernel's own or a module's. */
  readonly kernel: boolean
}

/** A module's name has at most 56 bytes (include/linux/moduleparam.h, MODULE_NAME_LEN). */
const nameBytes = 64

/** What the kernel says about the BTF object behind a descriptor (kernel 4.18). Throws `SyscallError`. */
export function btfInfo(sys: Sys, fd: number): KernelBtfInfo {
  const name = new Uint8Array(nameBytes)
  const info = layout.encode({ name_len: nameBytes }, true)
  objGetInfo(sys, fd, info, [{ at: layout.offsets.name, buffer: name }])
  const { id, btf_size: size, kernel_btf: kernel } = layout.readAt(new DataView(info.buffer), 0, true)
  return { id, size, name: textUntilNul(name), kernel: kernel !== 0 }
}

/** All BTF objects in the kernel, by rising id. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelBtfs(sys: Sys): Generator<KernelBtfInfo, void, void> {
  return readAll(sys, 'btf', btfInfo)
}

/** The BTF object of that id; `undefined` where there is none. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelBtf(sys: Sys, id: number): KernelBtfInfo | undefined {
  return readById(sys, 'btf', id, btfInfo)
}
