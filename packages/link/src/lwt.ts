import type { Sys } from '@tsbpf/sys'
import { linux, rtmsg } from '@tsbpf/uapi'
import type { LwtHook } from './bpf-routes.ts'
import { deviceIndex } from './device.ts'
import { errors } from './errors.ts'
import { heldObject } from './held-object.ts'
import { parseIpAddress } from './ip-address.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { answerErrno, askNetlink } from './netlink.ts'
import type { NetlinkAttribute } from './netlink.ts'
import { undoUnlessGone } from './refused.ts'

const expected = 'a route, such as "10.9.0.0/24 dev eth0" or "fc00::/64 via fe80::1 dev eth0 metric 5"'

/** A route as its target text gives it. */
interface Route {
  readonly family: number
  readonly prefixLength: number
  readonly destination: Uint8Array
  readonly gateway: Uint8Array | undefined
  readonly device: string | undefined
  readonly metric: number | undefined
}

function parseRoute(text: string): Route | undefined {
  const match = /^(\S+)\/(\d{1,3})(?: via (\S+))?(?: dev (\S+))?(?: metric (\d{1,9}))?$/.exec(text)
  if (match === null) return undefined
  const [, address = '', length = '', via, device, metric] = match
  const destination = parseIpAddress(address)
  const gateway = via === undefined ? undefined : parseIpAddress(via)
  if (destination === undefined || Number(length) > destination.length * 8) return undefined
  if (via !== undefined && gateway?.length !== destination.length) return undefined
  if (via === undefined && device === undefined) return undefined
  return {
    family: destination.length === 4 ? linux.AF_INET : linux.AF_INET6,
    prefixLength: Number(length),
    destination,
    gateway,
    device,
    metric: metric === undefined ? undefined : Number(metric),
  }
}

const hookAttributes = { in: linux.LWT_BPF_IN, out: linux.LWT_BPF_OUT, xmit: linux.LWT_BPF_XMIT }

const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8)

function encapsulation(hook: LwtHook, fd: number, name: string): NetlinkAttribute[] {
  if (hook !== 'seg6local') {
    const program: NetlinkAttribute[] = [
      [linux.LWT_BPF_PROG_FD, fd],
      [linux.LWT_BPF_PROG_NAME, name],
    ]
    const hooks: NetlinkAttribute[] = [[hookAttributes[hook], program]]
    return [
      [linux.RTA_ENCAP_TYPE, u16(linux.LWTUNNEL_ENCAP_BPF)],
      [linux.RTA_ENCAP, hooks],
    ]
  }
  const program: NetlinkAttribute[] = [
    [linux.SEG6_LOCAL_BPF_PROG, fd],
    [linux.SEG6_LOCAL_BPF_PROG_NAME, name],
  ]
  const action: NetlinkAttribute[] = [
    [linux.SEG6_LOCAL_ACTION, linux.SEG6_LOCAL_ACTION_END_BPF],
    [linux.SEG6_LOCAL_BPF, program],
  ]
  return [
    [linux.RTA_ENCAP_TYPE, u16(linux.LWTUNNEL_ENCAP_SEG6_LOCAL)],
    [linux.RTA_ENCAP, action],
  ]
}

/**
 * Makes a route that runs a program on its packets: as they come in (`in`), go out (`out`) or are sent (`xmit`), kernel
 * 4.10; or as the last step of an IPv6 segment (`seg6local`, action End.BPF), kernel 4.18.
 *
 * `target` is the route as ip-route(8) spells it: a prefix, then `via` a gateway, `dev` a device, `metric` a number, of
 * which one of the first two must be. It goes into the main table; none that is there is replaced. It outlives the
 * process; `detach` removes it. Needs CAP_NET_ADMIN.
 * Throws LINK_BAD_TARGET, LINK_UNKNOWN_DEVICE, LINK_NETLINK (EEXIST: there is such a route).
 *
 * @example
 * ```ts no-run
 * import { attachLwt } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachLwt(nativeSys(), { fd: 7, name: 'mark' }, 'xmit', '10.9.0.0/24 dev eth0')
 * ```
 */
export function attachLwt(sys: Sys, program: AttachableProgram, hook: LwtHook, target: string): Link {
  const named = { program: program.name, target }
  const route = parseRoute(target)
  if (route === undefined) throw errors.LINK_BAD_TARGET({ ...named, expected })
  const { family, prefixLength, destination, gateway, device, metric } = route
  const ifindex = device === undefined ? undefined : deviceIndex(sys, program, device)
  const ask = (type: number, flags: number, fd: number): void => {
    const answer = askNetlink(sys, {
      type,
      flags,
      body: rtmsg.encode(
        {
          rtm_family: family,
          rtm_dst_len: prefixLength,
          rtm_table: linux.RT_TABLE_MAIN,
          rtm_protocol: linux.RTPROT_STATIC,
          rtm_scope:
            gateway === undefined && family === linux.AF_INET ? linux.RT_SCOPE_LINK : linux.RT_SCOPE_UNIVERSE,
          rtm_type: linux.RTN_UNICAST,
        },
        true,
      ),
      attributes: [
        [linux.RTA_DST, destination],
        ...(ifindex === undefined ? [] : [[linux.RTA_OIF, ifindex] as const]),
        ...(gateway === undefined ? [] : [[linux.RTA_GATEWAY, gateway] as const]),
        ...(metric === undefined ? [] : [[linux.RTA_PRIORITY, metric] as const]),
        // The kernel also removes only a route with a program of that name.
        ...encapsulation(hook, fd, program.name),
      ],
    })
    if (answer.result >= 0) return
    const request = type === linux.RTM_NEWROUTE ? 'RTM_NEWROUTE' : 'RTM_DELROUTE'
    throw errors.LINK_NETLINK({ ...named, request, errno: answerErrno(answer), text: answer.text })
  }
  ask(linux.RTM_NEWROUTE, linux.NLM_F_CREATE | linux.NLM_F_EXCL, program.fd)
  const held = heldObject(sys, 'prog', program.fd)
  return new Link(sys, {
    kind: 'lwt',
    ...named,
    linkFd: undefined,
    outlivesProcess: true,
    undo: () => {
      undoUnlessGone(() => {
        ask(linux.RTM_DELROUTE, 0, held.fd)
      }, ['ESRCH', 'ENODEV'])
    },
    release: () => {
      held.close()
    },
  })
}
