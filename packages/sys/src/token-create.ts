import { tokenCreateAttr } from '@tsbpf/uapi'
import { demand } from './command.ts'
import type { Sys } from './sys.ts'

/**
 * Makes a BPF token of a BPF file system mounted with delegation, by a descriptor of its root, and returns its
 * descriptor, which the caller closes (BPF_TOKEN_CREATE, Linux 6.9). Only inside the user namespace that the file
 * system was made for. Throws `SyscallError`.
 */
export function tokenCreate(sys: Sys, bpffsFd: number): number {
  return demand(sys, 'token_create', tokenCreateAttr, { bpffs_fd: bpffsFd }).result
}
