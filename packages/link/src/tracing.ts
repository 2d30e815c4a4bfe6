import { attachTypes } from '@tsbpf/uapi'
import type { AttachTypeName } from '@tsbpf/uapi'
import { failure, rawTracepointOpen } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'

/** Attach types of programs whose target is fixed by BTF when they are loaded. */
export type TracingAttachType = Extract<
  AttachTypeName,
  'trace_raw_tp' | 'trace_fentry' | 'trace_fexit' | 'modify_return' | 'trace_fsession' | 'lsm_mac'
>

/** Options of {@link attachTracing}. */
export interface TracingOptions {
  /** What `bpf_get_attach_cookie` gives the program (kernel 6.0). */
  readonly cookie?: bigint
}

/** A kernel before 6.0 makes these links with BPF_RAW_TRACEPOINT_OPEN only. */
const unknownLink = failure('EINVAL')

/**
 * Attaches a program to what it was loaded for by BTF: a typed tracepoint, the entry or exit of a kernel function, its
 * return value, or a hook of the security modules. Kernel 5.5 (lsm_mac and modify_return 5.7, trace_fsession 7.0).
 *
 * `target` is only for messages: the program knows it. The attachment ends with the process. Needs CAP_BPF and
 * CAP_PERFMON. Throws LINK_UNSUPPORTED_OPTION, LINK_DENIED, LINK_REFUSED (EBUSY: the function is taken; ENOTSUPP: the kernel cannot
 * attach there).
 *
 * @example
 * ```ts no-run
 * import { attachTracing } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachTracing(nativeSys(), { fd: 7, name: 'on_unlink' }, 'trace_fentry', 'do_unlinkat')
 * ```
 */
export function attachTracing(
  sys: Sys,
  program: AttachableProgram,
  attachType: TracingAttachType,
  target: string,
  options: TracingOptions = {},
): Link {
  const { cookie } = options
  return createLink(sys, {
    kind: attachType,
    program,
    target,
    wants: ['CAP_BPF', 'CAP_PERFMON'],
    fields: {
      attach_type: attachTypes.value(attachType),
      ...(cookie === undefined ? {} : { 'tracing.cookie': cookie }),
    },
    otherwise: (result) => {
      if (result !== unknownLink) return undefined
      if (cookie !== undefined) {
        const option = 'a cookie'
        throw errors.LINK_UNSUPPORTED_OPTION({ program: program.name, target, option, since: '6.0' })
      }
      return { linkFd: rawTracepointOpen(sys, undefined, program.fd) }
    },
  })
}
