import { progBindMapAttr } from '@tsbpf/uapi'
import { demand } from './command.ts'
import type { Sys } from './sys.ts'

/**
 * Lets a map live as long as a program that does not mention it (BPF_PROG_BIND_MAP, Linux 5.10).
 * Throws `SyscallError`.
 */
export function progBindMap(sys: Sys, progFd: number, mapFd: number): void {
  demand(sys, 'prog_bind_map', progBindMapAttr, { prog_fd: progFd, map_fd: mapFd })
}
