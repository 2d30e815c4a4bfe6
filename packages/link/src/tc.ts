import { linux, tcmsg } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { deviceIndex } from './device.ts'
import { errors } from './errors.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { answerErrno, askNetlink } from './netlink.ts'
import type { NetlinkAnswer, NetlinkAttribute } from './netlink.ts'

/** Options of {@link attachTc}. */
export interface TcOptions {
  /** Packets that come in, unless given. */
  readonly direction?: 'ingress' | 'egress'
  /** Filters with a lower number run first: 1 to 65535; the kernel chooses unless given. */
  readonly priority?: number
  /** Which of several with the same priority: 1 unless given. */
  readonly handle?: number
}

/** Lets a filter say itself what happens to a packet (`da` of tc-bpf(8)). */
const directAction = linux.TCA_BPF_FLAG_ACT_DIRECT

/** `htons(ETH_P_ALL)`. */
const allProtocols = ((linux.ETH_P_ALL & 0xff) << 8) | (linux.ETH_P_ALL >> 8)

/**
 * Attaches a traffic control program to a network device as a filter of its clsact qdisc, which is made where there is
 * none. Kernel 4.5. For kernels without tcx: the attachment outlives the process, `detach` removes the filter, and the
 * qdisc too if this made it.
 *
 * Needs CAP_NET_ADMIN. Throws LINK_BAD_TARGET, LINK_UNKNOWN_DEVICE, LINK_NETLINK (EEXIST: priority and handle are taken).
 *
 * @example
 * ```ts no-run
 * import { attachTc } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachTc(nativeSys(), { fd: 7, name: 'count' }, 'eth0', { direction: 'egress' })
 * ```
 */
export function attachTc(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: TcOptions = {},
): Link {
  const { direction = 'ingress', priority = 0, handle = 1 } = options
  const named = { program: program.name, target }
  if (!Number.isInteger(priority) || priority < 0 || priority > 0xffff) {
    throw errors.LINK_BAD_ORDER({ ...named, expected: 'a priority from 1 to 65535' })
  }
  const ifindex = deviceIndex(sys, program, target)
  const demand = (request: string, answer: NetlinkAnswer): NetlinkAnswer => {
    if (answer.result >= 0) return answer
    throw errors.LINK_NETLINK({ ...named, request, errno: answerErrno(answer), text: answer.text })
  }

  const made = qdisc(sys, linux.RTM_NEWQDISC, ifindex)
  if (made.result !== failure('EEXIST')) demand('RTM_NEWQDISC clsact', made)
  const removeQdisc = (): void => {
    if (made.result === 0) qdisc(sys, linux.RTM_DELQDISC, ifindex)
  }

  const parent =
    (linux.TC_H_CLSACT & linux.TC_H_MAJ_MASK) |
    (direction === 'ingress' ? linux.TC_H_MIN_INGRESS : linux.TC_H_MIN_EGRESS)
  const place = { tcm_ifindex: ifindex, tcm_parent: parent >>> 0, tcm_handle: handle }
  const put = (next: AttachableProgram, taken: number, flags: number): NetlinkAnswer =>
    demand(
      'RTM_NEWTFILTER bpf',
      filter(sys, linux.RTM_NEWTFILTER, { ...place, tcm_info: ((taken << 16) | allProtocols) >>> 0 }, flags, [
        [linux.TCA_BPF_FD, next.fd],
        [linux.TCA_BPF_NAME, next.name],
        [linux.TCA_BPF_FLAGS, directAction],
      ]),
    )
  let taken: number
  try {
    const answer = put(program, priority, linux.NLM_F_CREATE | linux.NLM_F_EXCL | linux.NLM_F_ECHO)
    taken = priority === 0 ? priorityOf(answer) : priority
  } catch (error) {
    removeQdisc()
    throw error
  }
  return new Link(sys, {
    kind: 'tc',
    ...named,
    linkFd: undefined,
    outlivesProcess: true,
    replace: (next) => {
      put(next, taken, linux.NLM_F_CREATE | linux.NLM_F_REPLACE)
    },
    undo: () => {
      filter(sys, linux.RTM_DELTFILTER, { ...place, tcm_info: ((taken << 16) | allProtocols) >>> 0 }, 0, [])
      removeQdisc()
    },
  })
}

function qdisc(sys: Sys, type: number, ifindex: number): NetlinkAnswer {
  return askNetlink(sys, {
    type,
    flags: type === linux.RTM_NEWQDISC ? linux.NLM_F_CREATE | linux.NLM_F_EXCL : 0,
    body: tcmsg.encode(
      {
        tcm_ifindex: ifindex,
        tcm_handle: (linux.TC_H_CLSACT & linux.TC_H_MAJ_MASK) >>> 0,
        tcm_parent: linux.TC_H_CLSACT,
      },
      true,
    ),
    attributes: [[linux.TCA_KIND, 'clsact']],
  })
}

function filter(
  sys: Sys,
  type: number,
  place: Parameters<typeof tcmsg.encode>[0],
  flags: number,
  options: NetlinkAttribute[],
): NetlinkAnswer {
  return askNetlink(sys, {
    type,
    flags,
    body: tcmsg.encode(place, true),
    attributes: [
      [linux.TCA_KIND, 'bpf'],
      ...(options.length === 0 ? [] : [[linux.TCA_OPTIONS, options] as const]),
    ],
  })
}

/** The priority that the kernel chose: it echoes the filter. */
function priorityOf({ message }: NetlinkAnswer): number {
  if (message.length < tcmsg.size) return 0
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  return tcmsg.readAt(view, 0, true).tcm_info >>> 16
}
