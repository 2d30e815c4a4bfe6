import { nulTerminated } from '@tsbpf/base'
import { rawTracepointAttr } from '@tsbpf/uapi'
import { demand, pointerTo } from './command.ts'
import type { Sys } from './sys.ts'

/**
 * Attaches a program to a raw tracepoint, or to the BTF target it was loaded for where `name` is undefined
 * (BPF_RAW_TRACEPOINT_OPEN, Linux 4.17; 5.5 without a name). Returns the descriptor, which the caller closes: closing
 * the last one detaches. `cookie` needs Linux 6.9. Throws `SyscallError`.
 */
export function rawTracepointOpen(sys: Sys, name: string | undefined, progFd: number, cookie = 0n): number {
  return demand(
    sys,
    'raw_tracepoint_open',
    rawTracepointAttr,
    { prog_fd: progFd, cookie },
    name === undefined ? undefined : [pointerTo(rawTracepointAttr, 'name', nulTerminated(name))],
    name,
  ).result
}
