import { textUntilNul } from '@tsbpf/base'
import { SyscallError } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux, rtmsg } from '@tsbpf/uapi'
import { formatIpAddress } from './ip-address.ts'
import { askNetlink, dumpNetlink, readAttributes } from './netlink.ts'

/** Where a route runs a program on packets. */
export type LwtHook = 'in' | 'out' | 'xmit' | 'seg6local'

/** A route that runs programs on its packets. */
export interface BpfRoute {
  /** `10.9.0.0/24`, `fc00::1/128`. */
  readonly prefix: string
  /** Device that packets leave by; 0 where the route names none. */
  readonly ifindex: number
  readonly table: number
  readonly metric: number
  /** Its programs; of those for `in`, `out` and `xmit` the kernel tells only the name that the route gave. */
  readonly programs: readonly { readonly hook: LwtHook; readonly name: string; readonly id: number }[]
  /** The kernel's message: header and attributes. */
  readonly message: Uint8Array
}

const none = new Uint8Array(0)

function number(value: Uint8Array | undefined): number {
  if (value === undefined || value.length < 4) return 0
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true)
}

const hooks = [
  [linux.LWT_BPF_IN, 'in'],
  [linux.LWT_BPF_OUT, 'out'],
  [linux.LWT_BPF_XMIT, 'xmit'],
] as const

function programsOf(type: number, encap: Uint8Array): BpfRoute['programs'] {
  const facts = readAttributes(encap, 0)
  if (type === linux.LWTUNNEL_ENCAP_BPF) {
    return hooks.flatMap(([attribute, hook]) => {
      const value = facts.get(attribute)
      if (value === undefined) return []
      const name = textUntilNul(readAttributes(value, 0).get(linux.LWT_BPF_PROG_NAME) ?? none)
      return [{ hook, name, id: 0 }]
    })
  }
  const value = type === linux.LWTUNNEL_ENCAP_SEG6_LOCAL ? facts.get(linux.SEG6_LOCAL_BPF) : undefined
  if (value === undefined) return []
  const told = readAttributes(value, 0)
  const name = textUntilNul(told.get(linux.SEG6_LOCAL_BPF_PROG_NAME) ?? none)
  return [{ hook: 'seg6local', name, id: number(told.get(linux.SEG6_LOCAL_BPF_PROG)) }]
}

function readRoute(message: Uint8Array): BpfRoute | undefined {
  if (message.length < rtmsg.size) return undefined
  const head = rtmsg.readAt(new DataView(message.buffer, message.byteOffset), 0, true)
  const facts = readAttributes(message, rtmsg.size)
  const type = facts.get(linux.RTA_ENCAP_TYPE)
  if (type === undefined || type.length < 2) return undefined
  const encapType = new DataView(type.buffer, type.byteOffset).getUint16(0, true)
  const programs = programsOf(encapType, facts.get(linux.RTA_ENCAP) ?? none)
  if (programs.length === 0) return undefined
  const any = new Uint8Array(head.rtm_family === linux.AF_INET6 ? 16 : 4)
  return {
    prefix: `${formatIpAddress(facts.get(linux.RTA_DST) ?? any)}/${head.rtm_dst_len}`,
    ifindex: number(facts.get(linux.RTA_OIF)),
    table: number(facts.get(linux.RTA_TABLE)) || head.rtm_table,
    metric: number(facts.get(linux.RTA_PRIORITY)),
    programs,
    message,
  }
}

/**
 * The routes of this thread's network namespace that run programs, by rtnetlink (RTM_GETROUTE); those of several paths
 * are left out. Throws `SyscallError`.
 */
export function bpfRoutes(sys: Sys): readonly BpfRoute[] {
  const routes: BpfRoute[] = []
  const request = { type: linux.RTM_GETROUTE, flags: 0, body: rtmsg.encode({}, true), attributes: [] }
  const result = dumpNetlink(sys, request, (body) => {
    const route = readRoute(body)
    if (route !== undefined) routes.push(route)
  })
  if (result < 0) throw new SyscallError(result, { call: 'rtnetlink', subject: 'all routes' })
  return routes
}

/** What makes a route the one that it is. */
const identity = [linux.RTA_DST, linux.RTA_OIF, linux.RTA_GATEWAY, linux.RTA_PRIORITY, linux.RTA_TABLE]

/** Removes a route (RTM_DELROUTE). Throws `SyscallError`: ESRCH where it is gone. */
export function removeBpfRoute(sys: Sys, { message, prefix }: BpfRoute): void {
  const facts = readAttributes(message, rtmsg.size)
  const { result } = askNetlink(sys, {
    type: linux.RTM_DELROUTE,
    flags: 0,
    // A cloned flag or the state of the device is nothing that could be asked for.
    body: rtmsg.encode({ ...rtmsg.readAt(new DataView(message.buffer), 0, true), rtm_flags: 0 }, true),
    attributes: identity.flatMap((type) => {
      const value = facts.get(type)
      return value === undefined ? [] : [[type, value] as const]
    }),
  })
  if (result < 0) throw new SyscallError(result, { call: 'rtnetlink', subject: `route ${prefix}` })
}
