import { failure, SyscallError } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { ifinfomsg, linux } from '@tsbpf/uapi'
import { askNetlink, readAttributes } from './netlink.ts'

/** A program at the receive path of a network device. */
export interface XdpProgram {
  readonly mode: 'drv' | 'skb' | 'hw'
  readonly progId: number
}

const modes = [
  [linux.IFLA_XDP_DRV_PROG_ID, linux.XDP_ATTACHED_DRV, 'drv'],
  [linux.IFLA_XDP_SKB_PROG_ID, linux.XDP_ATTACHED_SKB, 'skb'],
  [linux.IFLA_XDP_HW_PROG_ID, linux.XDP_ATTACHED_HW, 'hw'],
] as const

/**
 * The XDP programs of a network device, however they were attached (RTM_GETLINK with IFLA_XDP, kernel 4.13).
 * Throws `SyscallError`.
 */
export function xdpPrograms(sys: Sys, ifindex: number): readonly XdpProgram[] {
  const body = ifinfomsg.encode({ ifi_index: ifindex }, true)
  const answer = askNetlink(sys, { type: linux.RTM_GETLINK, flags: 0, body, attributes: [] })
  const { message } = answer
  const result = answer.result === 0 && message.length < ifinfomsg.size ? failure('EBADMSG') : answer.result
  if (result < 0) throw new SyscallError(result, { call: 'rtnetlink', subject: `device ${ifindex}` })
  const nested = readAttributes(message, ifinfomsg.size).get(linux.IFLA_XDP)
  if (nested === undefined) return []
  const facts = readAttributes(nested, 0)
  const number = (attribute: number): number => {
    const value = facts.get(attribute)
    if (value === undefined || value.length < 4) return 0
    return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true)
  }
  const attached = facts.get(linux.IFLA_XDP_ATTACHED)?.[0] ?? 0
  return modes.flatMap(([attribute, one, mode]) => {
    // Where there is but one program, its mode is told beside it.
    const progId = number(attribute) || (attached === one ? number(linux.IFLA_XDP_PROG_ID) : 0)
    return progId === 0 ? [] : [{ mode, progId }]
  })
}
