import { textUntilNul } from '@tsbpf/base'
import { ifinfomsg, linux } from '@tsbpf/uapi'
import { failure, SyscallError } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram } from './link.ts'
import { answerErrno, askNetlink, dumpNetlink, readAttributes } from './netlink.ts'

/** Names longer than this do not exist (include/uapi/linux/if.h, IFNAMSIZ). */
const maxNameBytes = 15

/**
 * Index of a network device by its name, in this thread's network namespace (RTM_GETLINK). A number as text is an
 * index already. Throws LINK_UNKNOWN_DEVICE, LINK_BAD_TARGET, LINK_NETLINK.
 */
export function deviceIndex(sys: Sys, program: AttachableProgram, target: string): number {
  const named = { program: program.name, target }
  if (/^[1-9]\d{0,8}$/.test(target)) return Number(target)
  if (!/^[^\s/\0]+$/.test(target) || new TextEncoder().encode(target).length > maxNameBytes) {
    throw errors.LINK_BAD_TARGET({
      ...named,
      expected: 'the name of a network device, such as eth0, or its index',
    })
  }
  const answer = askNetlink(sys, {
    type: linux.RTM_GETLINK,
    flags: 0,
    body: ifinfomsg.encode({}, true),
    attributes: [[linux.IFLA_IFNAME, target]],
  })
  if (answer.result === failure('ENODEV')) throw errors.LINK_UNKNOWN_DEVICE(named)
  if (answer.result < 0 || answer.message.length < ifinfomsg.size) {
    const { text } = answer
    throw errors.LINK_NETLINK({ ...named, request: 'RTM_GETLINK', errno: answerErrno(answer), text })
  }
  const view = new DataView(answer.message.buffer, answer.message.byteOffset, answer.message.byteLength)
  return ifinfomsg.readAt(view, 0, true).ifi_index
}

/** A network device of this thread's network namespace. */
export interface NetworkDevice {
  readonly ifindex: number
  readonly name: string
}

/** All network devices of this thread's network namespace, by rtnetlink (RTM_GETLINK). Throws `SyscallError`. */
export function networkDevices(sys: Sys): readonly NetworkDevice[] {
  const devices: NetworkDevice[] = []
  const request = { type: linux.RTM_GETLINK, flags: 0, body: ifinfomsg.encode({}, true), attributes: [] }
  const result = dumpNetlink(sys, request, (body) => {
    if (body.length < ifinfomsg.size) return
    const { ifi_index: ifindex } = ifinfomsg.readAt(new DataView(body.buffer), 0, true)
    const name = readAttributes(body, ifinfomsg.size).get(linux.IFLA_IFNAME) ?? new Uint8Array(0)
    devices.push({ ifindex, name: textUntilNul(name) })
  })
  if (result < 0) throw new SyscallError(result, { call: 'rtnetlink', subject: 'all network devices' })
  return devices
}
