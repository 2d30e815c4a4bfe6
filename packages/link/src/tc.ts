import { struct, u32 } from '@tsbpf/base'
import { linux, tcmsg } from '@tsbpf/uapi'
import { failure, progGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { deviceIndex } from './device.ts'
import { errors } from './errors.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { answerErrno, askNetlink } from './netlink.ts'
import type { NetlinkAnswer, NetlinkAttribute } from './netlink.ts'
import {
  allProtocols,
  clsact,
  filterBody,
  removeEmptyClsact,
  removeTcFilter,
  tcFilters,
} from './tc-filters.ts'
import type { TcDirection } from './tc-filters.ts'

/** Options of {@link attachTc} and {@link attachTcAction}. */
export interface TcOptions {
  /** Packets that come in, unless given. */
  readonly direction?: TcDirection
  /** Filters with a lower number run first: 1 to 65535; the kernel chooses unless given. */
  readonly priority?: number
  /** Which of several with the same priority: 1 unless given. */
  readonly handle?: number
}

/** What the filter is: its kind, and its options with a program. */
interface Classifier {
  readonly kind: 'tc' | 'tc_action'
  readonly name: 'bpf' | 'matchall'
  options(program: AttachableProgram): readonly NetlinkAttribute[]
}

const filterOfItsOwn: Classifier = {
  kind: 'tc',
  name: 'bpf',
  options: ({ fd, name }) => [
    [linux.TCA_BPF_FD, fd],
    [linux.TCA_BPF_NAME, name],
    // The program says itself what happens to a packet (`da` of tc-bpf(8)).
    [linux.TCA_BPF_FLAGS, linux.TCA_BPF_FLAG_ACT_DIRECT],
  ],
}

/** What all actions have (include/uapi/linux/pkt_cls.h, tc_gen). */
const actionParameters = struct('tc_act_bpf', {
  index: u32,
  capab: u32,
  action: u32,
  refcnt: u32,
  bindcnt: u32,
})

const actionOfAll: Classifier = {
  kind: 'tc_action',
  name: 'matchall',
  options: ({ fd, name }) => {
    // The action that is done where the program returns TC_ACT_UNSPEC.
    const parameters = actionParameters.encode({ action: linux.TC_ACT_PIPE }, true)
    const options: NetlinkAttribute[] = [
      [linux.TCA_ACT_BPF_PARMS, parameters],
      [linux.TCA_ACT_BPF_FD, fd],
      [linux.TCA_ACT_BPF_NAME, name],
    ]
    const action: NetlinkAttribute[] = [
      [linux.TCA_ACT_KIND, 'bpf'],
      [linux.TCA_ACT_OPTIONS, options],
    ]
    return [[linux.TCA_MATCHALL_ACT, [[1, action]]]]
  },
}

/**
 * Attaches a traffic control program to a network device as a filter of its clsact qdisc, which is made where there is
 * none. Kernel 4.5. For kernels without tcx: the attachment outlives the process, `detach` removes the filter if it
 * still runs this program, and the qdisc if this made it and nobody has a filter there.
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
  return attachFilter(sys, program, target, options, filterOfItsOwn)
}

/**
 * Attaches a program of the type `sched_act` to a network device: as the action of a filter for all packets (`matchall`)
 * of its clsact qdisc. Kernel 4.13, with CONFIG_NET_CLS_MATCHALL and CONFIG_NET_ACT_BPF. Else as {@link attachTc}, also
 * in that the attachment outlives the process.
 *
 * Needs CAP_NET_ADMIN. Throws LINK_BAD_TARGET, LINK_UNKNOWN_DEVICE, LINK_NETLINK (EEXIST: priority and handle are taken;
 * ENOENT: the kernel has no such classifier or action).
 *
 * @example
 * ```ts no-run
 * import { attachTcAction } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachTcAction(nativeSys(), { fd: 7, name: 'mark' }, 'eth0', { direction: 'egress' })
 * ```
 */
export function attachTcAction(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: TcOptions = {},
): Link {
  return attachFilter(sys, program, target, options, actionOfAll)
}

function attachFilter(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: TcOptions,
  classifier: Classifier,
): Link {
  const { direction = 'ingress', priority = 0, handle = 1 } = options
  const named = { program: program.name, target }
  if (!Number.isInteger(priority) || priority < 0 || priority > 0xffff) {
    throw errors.LINK_BAD_ORDER({ ...named, expected: 'a priority from 1 to 65535' })
  }
  const ifindex = deviceIndex(sys, program, target)
  let { id } = progGetInfo(sys, program.fd).info
  const demand = (request: string, answer: NetlinkAnswer): NetlinkAnswer => {
    if (answer.result >= 0) return answer
    throw errors.LINK_NETLINK({ ...named, request, errno: answerErrno(answer), text: answer.text })
  }

  const made = clsact(sys, linux.RTM_NEWQDISC, ifindex)
  if (made.result !== failure('EEXIST')) demand('RTM_NEWQDISC clsact', made)
  const removeQdisc = (): void => {
    if (made.result === 0) removeEmptyClsact(sys, ifindex)
  }

  const place = { ifindex, direction, protocol: allProtocols, handle }
  const put = (next: AttachableProgram, at: number, flags: number): NetlinkAnswer =>
    demand(
      `RTM_NEWTFILTER ${classifier.name}`,
      askNetlink(sys, {
        type: linux.RTM_NEWTFILTER,
        flags,
        body: filterBody({ ...place, priority: at }),
        attributes: [
          [linux.TCA_KIND, classifier.name],
          [linux.TCA_OPTIONS, [...classifier.options(next)]],
        ],
      }),
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
    kind: classifier.kind,
    ...named,
    linkFd: undefined,
    outlivesProcess: true,
    // A matchall filter is one of a kind, which the kernel does not change.
    ...(classifier === actionOfAll
      ? {}
      : {
          replace: (next) => {
            put(next, taken, linux.NLM_F_CREATE | linux.NLM_F_REPLACE)
            ;({ id } = progGetInfo(sys, next.fd).info)
          },
        }),
    undo: () => {
      // A device that is gone has no filters.
      const own = tcFilters(sys, ifindex).find(
        (filter) =>
          filter.direction === direction &&
          filter.chain === 0 &&
          filter.priority === taken &&
          filter.handle === handle &&
          filter.programId === id,
      )
      if (own !== undefined) removeTcFilter(sys, own)
      removeQdisc()
    },
  })
}

/** The priority that the kernel chose: it echoes the filter. */
function priorityOf({ message }: NetlinkAnswer): number {
  if (message.length < tcmsg.size) return 0
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  return tcmsg.readAt(view, 0, true).tcm_info >>> 16
}
