import { attachTypes, linux } from '@tsbpf/uapi'
import { failure, linkCreate } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { refused, resultOf } from './refused.ts'

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
  const { kind, program, target, perfFd } = attachment
  let linkFd: number | undefined
  try {
    linkFd = linkTo(sys, attachment)
    if (linkFd === undefined) setProgram(sys, attachment)
    const enabled = sys.ioctl(perfFd, linux.PERF_EVENT_IOC_ENABLE, 0)
    if (enabled < 0) throw refused(sys, attempt(attachment, 'ioctl PERF_EVENT_IOC_ENABLE'), enabled)
  } catch (error) {
    if (linkFd !== undefined) sys.close(linkFd)
    sys.close(perfFd)
    throw error
  }
  return new Link(sys, { kind, program: program.name, target, linkFd, perfFd })
}

function attempt({ program, target }: PerfAttachment, step: string): Parameters<typeof refused>[1] {
  return { program, target, step, wants: ['CAP_PERFMON', 'CAP_BPF'] }
}

/** Descriptor of a new BPF link; `undefined` where this kernel has none for perf events. */
function linkTo(sys: Sys, attachment: PerfAttachment): number | undefined {
  const { program, perfFd, cookie } = attachment
  try {
    return linkCreate(sys, {
      prog_fd: program.fd,
      target_fd: perfFd,
      attach_type: attachTypes.value('perf_event'),
      ...(cookie === undefined ? {} : { 'perf_event.bpf_cookie': cookie }),
    })
  } catch (error) {
    const result = resultOf(error)
    if (unknownLink.has(result)) return undefined
    throw refused(sys, attempt(attachment, 'BPF_LINK_CREATE'), result, error)
  }
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
