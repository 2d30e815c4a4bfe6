import { failure, rawTracepointOpen } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import type { AttachKind } from './attach-kind.ts'
import { createLink } from './create-link.ts'
import type { AttachableProgram, Link } from './link.ts'

/** A kernel before 5.10 makes these links with BPF_RAW_TRACEPOINT_OPEN only. */
const unknownLink = failure('EINVAL')

/**
 * Puts a program in the place of a global function of another program, for which it was loaded, until the link is
 * detached or this process ends. Kernel 5.6.
 *
 * `target` is only for messages: the program knows it. Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.
 * Throws LINK_DENIED, LINK_REFUSED (EBUSY: the function is replaced already).
 *
 * @example
 * ```ts no-run
 * import { attachFreplace } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachFreplace(nativeSys(), { fd: 7, name: 'other_answer' }, 'answer')
 * ```
 */
export function attachFreplace(sys: Sys, program: AttachableProgram, target: string): Link {
  return createLink(sys, {
    kind: 'freplace',
    program,
    target,
    wants: ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN'],
    // Programs of this type have no attach type, and the kernel knows the target since the load.
    fields: { attach_type: 0 },
    otherwise: (result) =>
      result === unknownLink ? { linkFd: rawTracepointOpen(sys, undefined, program.fd) } : undefined,
  })
}

/** Its row of the table of kinds. */
export const freplaceKind: AttachKind = {
  kind: 'freplace',
  types: ['ext'],
  attachTypes: [undefined],
  sinceKernel: '5.6',
  endsWithProcess: true,
  targetAtLoad: true,
  byItself: true,
  targetShape: 'the name of a function of another program',
  attach: attachFreplace,
}
