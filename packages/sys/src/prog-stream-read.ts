import { progStreamReadAttr } from '@tsbpf/uapi'
import { demand, pointerTo } from './command.ts'
import type { Sys } from './sys.ts'

/**
 * Reads what a program has printed to one of its streams (`streamIds` of `@tsbpf/uapi`) into `buffer`, and takes it out of
 * there (BPF_PROG_STREAM_READ_BY_FD, Linux 6.17). Gives the number of bytes, 0 where there is no more; throws
 * `SyscallError`.
 */
export function progStreamRead(sys: Sys, fd: number, streamId: number, buffer: Uint8Array): number {
  const fields = { prog_fd: fd, stream_id: streamId, stream_buf_len: buffer.length }
  return demand(sys, 'prog_stream_read_by_fd', progStreamReadAttr, fields, [
    pointerTo(progStreamReadAttr, 'stream_buf', buffer),
  ]).result
}
