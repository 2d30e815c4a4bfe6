import { failure, rawTracepointOpen } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { refused, resultOf } from './refused.ts'

/** Options of {@link attachRawTracepoint}. */
export interface RawTracepointOptions {
  /** What `bpf_get_attach_cookie` gives the program (kernel 6.10). */
  readonly cookie?: bigint
}

/** Names longer than this are cut by the kernel (kernel/bpf/syscall.c, bpf_raw_tracepoint_open). */
const maxNameBytes = 127

/**
 * Attaches a program to a raw tracepoint: `sys_enter`. Kernel 4.17.
 *
 * The attachment ends with the process. Throws LINK_BAD_TARGET, LINK_UNKNOWN_TRACEPOINT, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachRawTracepoint } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachRawTracepoint(nativeSys(), { fd: 7, name: 'on_enter' }, 'sys_enter')
 * ```
 */
export function attachRawTracepoint(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: RawTracepointOptions = {},
): Link {
  if (!/^\w+$/.test(target) || target.length > maxNameBytes) {
    throw errors.LINK_BAD_TARGET({ program: program.name, target, expected: 'a name such as sys_enter' })
  }
  try {
    const linkFd = rawTracepointOpen(sys, target, program.fd, options.cookie)
    return new Link(sys, { kind: 'raw_tracepoint', program: program.name, target, linkFd })
  } catch (error) {
    const result = resultOf(error)
    if (result === failure('ENOENT')) {
      throw errors.LINK_UNKNOWN_TRACEPOINT({ program: program.name, target, known: [] }, { cause: error })
    }
    const attempt = {
      program,
      target,
      step: 'BPF_RAW_TRACEPOINT_OPEN',
      wants: ['CAP_BPF', 'CAP_PERFMON'],
    } as const
    throw refused(sys, attempt, result, error)
  }
}
