import type { CapabilityName } from '@tsbpf/sys'
import { commandPrivilege } from '@tsbpf/sys'
import { capabilitiesFor } from './privileges.ts'

/** What an operation asks of the process that does it, whichever user it runs as. */
export interface OperationPrivilege {
  /** Permanent name: `load-tracing`. */
  readonly id: string
  /** In words, as part of a sentence. */
  readonly operation: string
  /** All of them are needed, in the initial user namespace. CAP_SYS_ADMIN stands for CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN. */
  readonly capabilities: readonly CapabilityName[]
  /** File or folder whose permissions must allow it besides. */
  readonly file?: string
  readonly note?: string
}

const byCommand = (command: string): readonly CapabilityName[] => {
  const name = commandPrivilege(command)
  return name === undefined ? [] : [name]
}

const unprivileged = 'nothing where kernel.unprivileged_bpf_disabled is 0'

/**
 * What each operation asks for, from kernel 5.8 on; before, CAP_SYS_ADMIN (kernel/bpf/syscall.c,
 * kernel/events/core.c, kernel/kallsyms.c). The user id alone counts only for files.
 *
 * @example
 * ```ts
 * import { operationPrivileges } from '@tsbpf/loader'
 * console.log(operationPrivileges.find(({ id }) => id === 'list-ids')?.capabilities) // [ 'CAP_SYS_ADMIN' ]
 * ```
 */
export const operationPrivileges: readonly OperationPrivilege[] = [
  {
    id: 'create-map',
    operation: 'create a map',
    capabilities: ['CAP_BPF'],
    note: `arrays, hashes and some others: ${unprivileged}`,
  },
  {
    id: 'create-network-map',
    operation: 'create a sockmap, sockhash, devmap, devmap_hash or xskmap',
    capabilities: ['CAP_BPF', 'CAP_NET_ADMIN'],
  },
  { id: 'load-btf', operation: 'load BTF', capabilities: byCommand('btf_load') },
  {
    id: 'load-socket-filter',
    operation: 'load a program of type socket_filter or cgroup_skb',
    capabilities: capabilitiesFor('socket_filter'),
    note: unprivileged,
  },
  {
    id: 'load-other',
    operation: 'load a program of type sk_lookup, sk_reuseport or syscall',
    capabilities: capabilitiesFor('syscall'),
  },
  {
    id: 'load-tracing',
    operation:
      'load a tracing program (kprobe, tracepoint, perf_event, raw_tracepoint, tracing, lsm, struct_ops)',
    capabilities: capabilitiesFor('tracepoint'),
  },
  {
    id: 'load-network',
    operation:
      'load a network program (xdp, sched_cls, lwt, sk_skb, sk_msg, sock_ops, netfilter, other cgroup types)',
    capabilities: capabilitiesFor('xdp'),
  },
  {
    id: 'leak-pointers',
    operation: 'load a program that compares or stores kernel pointers or reads unwritten stack',
    capabilities: ['CAP_BPF', 'CAP_PERFMON'],
    note: 'the verifier asks for it, not bpf(2)',
  },
  {
    id: 'read-tracepoint-id',
    operation: 'read the number of a tracepoint, or name a kprobe in tracefs',
    capabilities: [],
    file: '/sys/kernel/tracing',
    note: 'CAP_SYS_ADMIN where tracefs is not mounted',
  },
  {
    id: 'attach-tracepoint',
    operation: 'attach to a tracepoint, kprobe, uprobe or perf event',
    capabilities: ['CAP_PERFMON'],
    file: '/sys/kernel/tracing',
    note: 'the file only for tracepoints and, without BPF links, kprobes',
  },
  { id: 'test-run', operation: 'run a loaded program as a test', capabilities: [] },
  {
    id: 'query-attached',
    operation: 'ask what is attached to a device, cgroup or network namespace',
    capabilities: byCommand('prog_query'),
  },
  {
    id: 'list-ids',
    operation: 'list programs, maps, links and BTF objects of the system by id',
    capabilities: byCommand('prog_get_next_id'),
  },
  {
    id: 'open-by-id',
    operation: 'open a program, map or link by its id',
    capabilities: byCommand('map_get_fd_by_id'),
  },
  {
    id: 'open-btf',
    operation: "open BTF by its id: for functions and types of the kernel's modules",
    capabilities: byCommand('btf_get_fd_by_id'),
  },
  {
    id: 'run-statistics',
    operation: 'switch run time statistics on',
    capabilities: byCommand('enable_stats'),
  },
  {
    id: 'pin',
    operation: 'pin a map, program or link',
    capabilities: [],
    file: '/sys/fs/bpf',
    note: 'the folder must allow writing',
  },
  {
    id: 'kernel-addresses',
    operation: 'see addresses of kernel symbols (ksyms without BTF)',
    capabilities: ['CAP_SYSLOG'],
    note: 'kernel.kptr_restrict=2 hides them from everybody; with 0 and kernel.perf_event_paranoid below 2 all see them',
  },
]
