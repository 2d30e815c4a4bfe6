import { textUntilNul } from '@tsbpf/base'
import { failure, SyscallError } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux, tcmsg } from '@tsbpf/uapi'
import { askNetlink, dumpNetlink, readAttributes } from './netlink.ts'
import type { NetlinkAnswer } from './netlink.ts'

/** Which packets of a device: those that come in, or those that go out. */
export type TcDirection = 'ingress' | 'egress'

/** A filter of the clsact (or ingress) qdisc of a network device. */
export interface TcFilter {
  readonly ifindex: number
  readonly direction: TcDirection
  /** How it chooses packets: `bpf`, `matchall`, `flower`, … */
  readonly classifier: string
  readonly chain: number
  readonly priority: number
  /** EtherType in network byte order, as the kernel has it. */
  readonly protocol: number
  readonly handle: number
  /** What it runs: of its own, or as its action; 0 and empty where it runs no BPF. */
  readonly programId: number
  readonly programName: string
}

/** `htons(ETH_P_ALL)`. */
export const allProtocols = ((linux.ETH_P_ALL & 0xff) << 8) | (linux.ETH_P_ALL >> 8)

const directions: readonly TcDirection[] = ['ingress', 'egress']

function parentOf(direction: TcDirection): number {
  const minor = direction === 'ingress' ? linux.TC_H_MIN_INGRESS : linux.TC_H_MIN_EGRESS
  return ((linux.TC_H_CLSACT & linux.TC_H_MAJ_MASK) | minor) >>> 0
}

/** Where a filter is, as the body of a message. */
export function filterBody(
  filter: Pick<TcFilter, 'ifindex' | 'direction' | 'priority' | 'protocol' | 'handle'>,
): Uint8Array {
  const { ifindex, direction, priority, protocol, handle } = filter
  return tcmsg.encode(
    {
      tcm_ifindex: ifindex,
      tcm_parent: parentOf(direction),
      tcm_handle: handle,
      tcm_info: ((priority << 16) | protocol) >>> 0,
    },
    true,
  )
}

const none = new Uint8Array(0)

function number(value: Uint8Array | undefined): number {
  if (value === undefined || value.length < 4) return 0
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true)
}

/** The program of a filter of the kind `bpf`, or of the first action that is one. */
function programOf(classifier: string, options: Uint8Array): Pick<TcFilter, 'programId' | 'programName'> {
  const own = readAttributes(options, 0)
  if (classifier === 'bpf') {
    const programName = textUntilNul(own.get(linux.TCA_BPF_NAME) ?? none)
    return { programId: number(own.get(linux.TCA_BPF_ID)), programName }
  }
  const actions = classifier === 'matchall' ? own.get(linux.TCA_MATCHALL_ACT) : undefined
  for (const action of readAttributes(actions ?? none, 0).values()) {
    const facts = readAttributes(action, 0)
    if (textUntilNul(facts.get(linux.TCA_ACT_KIND) ?? none) !== 'bpf') continue
    const told = readAttributes(facts.get(linux.TCA_ACT_OPTIONS) ?? none, 0)
    const programName = textUntilNul(told.get(linux.TCA_ACT_BPF_NAME) ?? none)
    return { programId: number(told.get(linux.TCA_ACT_BPF_ID)), programName }
  }
  return { programId: 0, programName: '' }
}

/** What the kernel says where there is no such qdisc or device. */
const noFilters = new Set([failure('EINVAL'), failure('ENOENT'), failure('ENODEV')])

/**
 * All filters of a network device, those in front first, by rtnetlink (RTM_GETTFILTER); none where it has no clsact or
 * ingress qdisc. Throws `SyscallError`.
 */
export function tcFilters(sys: Sys, ifindex: number): readonly TcFilter[] {
  return directions.flatMap((direction) => {
    const filters: TcFilter[] = []
    const place = { ifindex, direction, priority: 0, protocol: 0, handle: 0 }
    const request = { type: linux.RTM_GETTFILTER, flags: 0, body: filterBody(place), attributes: [] }
    const result = dumpNetlink(sys, request, (body) => {
      if (body.length < tcmsg.size) return
      const { tcm_info: info, tcm_handle: handle } = tcmsg.readAt(new DataView(body.buffer), 0, true)
      const facts = readAttributes(body, tcmsg.size)
      const options = facts.get(linux.TCA_OPTIONS)
      // The kernel first tells of the kind at a priority, then of its filters.
      if (options === undefined || handle === 0) return
      const classifier = textUntilNul(facts.get(linux.TCA_KIND) ?? none)
      filters.push({
        ...{ ifindex, direction, classifier, chain: number(facts.get(linux.TCA_CHAIN)) },
        ...{ priority: info >>> 16, protocol: info & 0xffff, handle },
        ...programOf(classifier, options),
      })
    })
    if (result < 0 && !noFilters.has(result))
      throw new SyscallError(result, { call: 'rtnetlink', subject: `filters of device ${ifindex}` })
    return filters
  })
}

/** Removes a filter (RTM_DELTFILTER): the one at its place, whichever that is by now. Throws `SyscallError`. */
export function removeTcFilter(sys: Sys, filter: TcFilter): void {
  const { classifier, chain } = filter
  const { result } = askNetlink(sys, {
    type: linux.RTM_DELTFILTER,
    flags: 0,
    body: filterBody(filter),
    attributes: [[linux.TCA_KIND, classifier], ...(chain === 0 ? [] : [[linux.TCA_CHAIN, chain] as const])],
  })
  if (result < 0)
    throw new SyscallError(result, { call: 'rtnetlink', subject: `a filter of device ${filter.ifindex}` })
}

/** Makes (RTM_NEWQDISC) or removes (RTM_DELQDISC) the clsact qdisc of a device, with all its filters. */
export function clsact(sys: Sys, type: number, ifindex: number): NetlinkAnswer {
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

/** Devices with a clsact qdisc, by index (RTM_GETQDISC). Throws `SyscallError`. */
export function clsactDevices(sys: Sys): ReadonlySet<number> {
  const found = new Set<number>()
  const request = { type: linux.RTM_GETQDISC, flags: 0, body: tcmsg.encode({}, true), attributes: [] }
  const result = dumpNetlink(sys, request, (body) => {
    if (body.length < tcmsg.size) return
    const kind = readAttributes(body, tcmsg.size).get(linux.TCA_KIND)
    if (textUntilNul(kind ?? none) !== 'clsact') return
    found.add(tcmsg.readAt(new DataView(body.buffer), 0, true).tcm_ifindex)
  })
  if (result < 0) throw new SyscallError(result, { call: 'rtnetlink', subject: 'all qdiscs' })
  return found
}

/** Removes the clsact qdisc of a device if nobody has a filter there. */
export function removeEmptyClsact(sys: Sys, ifindex: number): void {
  if (tcFilters(sys, ifindex).length === 0) clsact(sys, linux.RTM_DELQDISC, ifindex)
}
