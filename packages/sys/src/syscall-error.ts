import { TsbpfError } from '@tsbpf/base'
import { commandPrivilege } from './command-privileges.ts'
import { errnoName } from './errno.ts'

/** What failed, for {@link SyscallError}. */
export interface FailedCall {
  /** The system call: `bpf`, `openat`. */
  readonly call: string
  /** The command of bpf(2), as `commands` of `@tsbpf/uapi` names it: `map_create`. */
  readonly command?: string | undefined
  /** What it was done to, where that has a name: a path, a map, an id. */
  readonly subject?: string | undefined
}

const bpfPrivilege =
  'run as root, or grant CAP_BPF and CAP_PERFMON (CAP_NET_ADMIN for networking; CAP_SYS_ADMIN before Linux 5.8)'

function privilegeFor(command: string | undefined): string {
  const one = command === undefined ? undefined : commandPrivilege(command)
  return one === undefined ? bpfPrivilege : `run as root, or grant ${one}`
}

/** What to do about an errno; those of one command are the matter of the package that calls it. */
function hintOf(name: string, { call, command }: FailedCall): string | undefined {
  switch (name) {
    case 'EPERM':
      if (call === 'bpf')
        return `${privilegeFor(command)}; a container's seccomp profile may also refuse bpf(2)`
      if (call === 'perf_event_open') return 'run as root, or grant CAP_PERFMON'
      if (call.startsWith('fs')) return 'run as root, or grant CAP_SYS_ADMIN'
      return 'run as root'
    case 'EACCES':
      if (command === 'prog_load') return 'the verifier refused the program: read its log'
      if (call === 'openat')
        return 'the permissions of the file or of a folder above it forbid this user to open it'
      return call === 'bpf' ? privilegeFor(command) : undefined
    case 'ENOSYS':
      return `this kernel, or the sandbox around it, has no ${call}(2)`
    case 'E2BIG':
      return call === 'bpf'
        ? 'the map is full, the program is too long, or this kernel does not know a field that is set'
        : undefined
    case 'EMFILE':
    case 'ENFILE':
      return 'too many descriptors are open: dispose handles, or raise the limit (ulimit -n)'
    case 'ENOMEM':
      return 'memory is short; before Linux 5.11 raise RLIMIT_MEMLOCK (ulimit -l unlimited)'
    case 'EINVAL':
      return call === 'bpf'
        ? 'this kernel does not know the command, type or flag, or a size is wrong'
        : undefined
    default:
      return undefined
  }
}

/**
 * The kernel refused a call. Its code is always `SYS_CALL_FAILED`; what tells refusals apart is `errnoName`.
 *
 * @example
 * ```ts
 * import { readFile, SyscallError } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * try { readFile(nativeSys(), '/no/such/file') }
 * catch (error) { console.log(error instanceof SyscallError && error.errnoName) } // ENOENT
 * ```
 */
export class SyscallError extends TsbpfError {
  override readonly name: string = 'SyscallError'
  /** The system call: `bpf`. */
  readonly call: string
  /** The command of bpf(2): `map_create`. */
  readonly command: string | undefined
  /** Positive: 1 for EPERM. */
  readonly errno: number
  readonly errnoName: string

  constructor(
    result: number,
    failed: FailedCall,
    options: { readonly cause?: unknown; readonly hint?: string } = {},
  ) {
    const { call, command, subject } = failed
    const name = errnoName(result)
    const what = command === undefined ? call : `${call}(${command})`
    super('SYS_CALL_FAILED', `${what}${subject === undefined ? '' : ` of ${subject}`} failed with ${name}`, {
      context: { call, command, subject, errno: Math.abs(result), errnoName: name },
      hint: options.hint ?? hintOf(name, failed),
      cause: options.cause,
    })
    this.call = call
    this.command = command
    this.errno = Math.abs(result)
    this.errnoName = name
  }
}

/** The result of a call that did not fail; for a negated errno it throws {@link SyscallError}. */
export function checked(result: number, call: string, command?: string, subject?: string): number {
  if (result < 0) throw new SyscallError(result, { call, command, subject })
  return result
}
