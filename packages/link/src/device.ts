import { ifinfomsg, linux } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram } from './link.ts'
import { answerErrno, askNetlink } from './netlink.ts'

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
