import { attachTypes, linux } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'
import { refused } from './refused.ts'

/** What to attach to an open perf event, and how to name it. */
export interface PerfAttachment {
  readonly kind: string
  readonly program: AttachableProgram
  readonly target: string
  readonly perfFd: number
  readonly cookie: bigint | undefined
}

/** Kernels before 5.7 do not know the command, those before 5.15 not the attach type: then they say one of these. */
const unknownLink = new Set([failure('EINVAL'), failure('EOPNOTSUPP')])

/**
 * Attaches a program to a perf event and enables it, as libbpf does: by a BPF link (kernel 5.15), else by ioctl.
 * Takes `perfFd` over, also when it throws.
 */
export function attachPerfEvent(sys: Sys, attachment: PerfAttachment): Link {
  const { kind, program, target, perfFd, cookie } = attachment
  const release = (): void => {
    sys.ioctl(perfFd, linux.PERF_EVENT_IOC_DISABLE, 0)
    sys.close(perfFd)
  }
  const link = createLink(sys, {
    kind,
    program,
    target,
    wants: ['CAP_PERFMON', 'CAP_BPF'],
    fields: {
      target_fd: perfFd,
      attach_type: attachTypes.value('perf_event'),
      ...(cookie === undefined ? {} : { 'perf_event.bpf_cookie': cookie }),
    },
    release,
    otherwise: (result) => {
      if (!unknownLink.has(result)) return undefined
      setProgram(sys, attachment)
      return { linkFd: undefined, release }
    },
  })
  const enabled = sys.ioctl(perfFd, linux.PERF_EVENT_IOC_ENABLE, 0)
  if (enabled >= 0) return link
  link.detach()
  throw refused(sys, attempt(attachment, 'ioctl PERF_EVENT_IOC_ENABLE'), enabled)
}

function attempt({ program, target }: PerfAttachment, step: string): Parameters<typeof refused>[1] {
  return { program, target, step, wants: ['CAP_PERFMON', 'CAP_BPF'] }
}

function setProgram(sys: Sys, attachment: PerfAttachment): void {
  const { program, target, perfFd, cookie } = attachment
  if (cookie !== undefined) {
    const option = 'a cookie'
    throw errors.LINK_UNSUPPORTED_OPTION({ program: program.name, target, option, since: '5.15' })
  }
  const set = sys.ioctl(perfFd, linux.PERF_EVENT_IOC_SET_BPF, program.fd)
  if (set < 0) throw refused(sys, attempt(attachment, 'ioctl PERF_EVENT_IOC_SET_BPF'), set)
}
