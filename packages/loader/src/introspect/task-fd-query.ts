import { nulTerminated, textUntilNul } from '@tsbpf/base'
import { failure, SyscallError } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { commands, taskFdQueryAttr, taskFdTypes } from '@tsbpf/uapi'
import { listingError } from './listing.ts'

/** What a perf event's or raw tracepoint's descriptor of a process is for. */
export interface TaskFdInfo {
  readonly progId: number
  /** `raw_tracepoint`, `tracepoint`, `kprobe`, `kretprobe`, `uprobe`, `uretprobe`. */
  readonly type: string
  /** Tracepoint, function or file. */
  readonly name: string
  readonly probeOffset: bigint
  readonly probeAddress: bigint
}

/** A path, or a symbol. */
const nameBytes = 4096

/**
 * What the descriptor `fd` of the process `pid` has attached (BPF_TASK_FD_QUERY, kernel 4.18); `undefined` where it is
 * no descriptor with a program. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). Throws `SyscallError`.
 */
export function taskFdQuery(sys: Sys, pid: number, fd: number): TaskFdInfo | undefined {
  const name = nulTerminated('\0'.repeat(nameBytes - 1))
  const attr = taskFdQueryAttr.encode({ pid, fd, buf_len: nameBytes }, true)
  const at = taskFdQueryAttr.offsets.buf
  const result = sys.bpf(commands.value('task_fd_query'), attr, [{ at, buffer: name }])
  if (result === failure('EOPNOTSUPP') || result === failure('ENOTSUPP')) return undefined
  if (result < 0) {
    const what = `descriptor ${fd} of process ${pid}`
    const refused = new SyscallError(result, { call: 'bpf', command: 'task_fd_query', subject: what })
    throw listingError(sys, what, refused)
  }
  const told = taskFdQueryAttr.readAt(new DataView(attr.buffer), 0, true)
  return {
    progId: told.prog_id,
    type: taskFdTypes.format(told.fd_type),
    name: textUntilNul(name),
    probeOffset: told.probe_offset,
    probeAddress: told.probe_addr,
  }
}
