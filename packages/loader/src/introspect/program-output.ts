import { progStreamRead } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { streamIds } from '@tsbpf/uapi'
import { maxStreamBytes } from '../limits.ts'

/**
 * What a program has printed since it was last asked: to `stdout` and `stderr` by `bpf_stream_printk` of libbpf, to `stderr`
 * also the kernel, which tells there of loops that it has ended (BPF_PROG_STREAM_READ_BY_FD, kernel 6.17). The kernel keeps
 * 100,000 bytes of each stream. `fd` is the program's descriptor, which stays the caller's. Throws `SyscallError`: EINVAL
 * before 6.17.
 *
 * @example
 * ```ts no-run
 * import { programOutput } from '@tsbpf/loader'
 * console.log(programOutput(sys, bpf.program('count_syscalls').fd, 'stderr'))
 * ```
 */
export function programOutput(sys: Sys, fd: number, stream: 'stdout' | 'stderr'): string {
  const decoder = new TextDecoder()
  const buffer = new Uint8Array(4096)
  let text = ''
  // Another processor may print as fast as this one reads.
  for (let length = 0; length < maxStreamBytes;) {
    const count = progStreamRead(sys, fd, streamIds.value(stream), buffer)
    if (count === 0) break
    length += count
    text += decoder.decode(buffer.subarray(0, count), { stream: true })
  }
  return text + decoder.decode()
}
