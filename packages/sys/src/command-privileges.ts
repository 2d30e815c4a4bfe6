import type { CapabilityName } from './capabilities.ts'

/**
 * What commands of bpf(2) ask for whatever they are given (kernel/bpf/syscall.c): CAP_SYS_ADMIN stands for the others.
 * Loading programs and creating maps ask for more, by type.
 */
const privileges: ReadonlyMap<string, CapabilityName> = new Map([
  ...['prog', 'map', 'btf', 'link'].flatMap((kind) => [
    [`${kind}_get_next_id`, 'CAP_SYS_ADMIN'] as const,
    [`${kind}_get_fd_by_id`, 'CAP_SYS_ADMIN'] as const,
  ]),
  ['task_fd_query', 'CAP_SYS_ADMIN'],
  ['enable_stats', 'CAP_SYS_ADMIN'],
  ['prog_query', 'CAP_NET_ADMIN'],
  ['btf_load', 'CAP_BPF'],
])

/**
 * The capability that a command of bpf(2) asks for, whatever it is given; `undefined` where that depends.
 *
 * @example
 * ```ts
 * import { commandPrivilege } from '@tsbpf/sys'
 * console.log(commandPrivilege('prog_get_next_id')) // CAP_SYS_ADMIN
 * ```
 */
export function commandPrivilege(command: string): CapabilityName | undefined {
  return privileges.get(command)
}
