import { attachTypes, ifinfomsg, linux, xdpFlags } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { deviceIndex } from './device.ts'
import { errors } from './errors.ts'
import { heldObject } from './held-object.ts'
import { Link } from './link.ts'
import type { AttachableProgram, LinkParts } from './link.ts'
import { answerErrno, askNetlink } from './netlink.ts'
import { undoUnlessGone } from './refused.ts'

/** Options of {@link attachXdp}. */
export interface XdpOptions {
  /**
   * Where the program runs: in the driver, in the kernel's own receive path (`skb`, any device), or on the card (`hw`).
   * The kernel chooses driver, else skb, unless given.
   */
  readonly mode?: 'skb' | 'drv' | 'hw'
  /** Attach over rtnetlink, as before kernel 5.9: the attachment outlives the process. */
  readonly netlink?: true
}

/** A kernel before 5.9 has no XDP links. */
const unknownLink = new Set([failure('EINVAL'), failure('EOPNOTSUPP')])

/**
 * Attaches an XDP program to a network device, by name or index. A link from kernel 5.9 on; from 4.8 over rtnetlink.
 *
 * One program for each device and mode. Needs CAP_NET_ADMIN and CAP_BPF. A link ends with the process; an
 * attachment over rtnetlink does not ({@link Link.outlivesProcess}).
 * Throws LINK_BAD_TARGET, LINK_UNKNOWN_DEVICE, LINK_NETLINK, LINK_DENIED, LINK_REFUSED (EBUSY: another is attached).
 *
 * @example
 * ```ts no-run
 * import { attachXdp } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachXdp(nativeSys(), { fd: 7, name: 'drop' }, 'eth0', { mode: 'skb' })
 * ```
 */
export function attachXdp(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: XdpOptions = {},
): Link {
  const ifindex = deviceIndex(sys, program, target)
  const flags = options.mode === undefined ? 0 : xdpFlags.value(`${options.mode}_mode`)
  const overNetlink = (): Omit<LinkParts, 'kind' | 'program' | 'target'> =>
    attachOverNetlink(sys, program, { target, ifindex, flags })
  if (options.netlink === true)
    return new Link(sys, { kind: 'xdp', program: program.name, target, ...overNetlink() })
  return createLink(sys, {
    kind: 'xdp',
    program,
    target,
    wants: ['CAP_NET_ADMIN', 'CAP_BPF'],
    fields: { target_ifindex: ifindex, attach_type: attachTypes.value('xdp'), flags },
    otherwise: (result) => (unknownLink.has(result) ? overNetlink() : undefined),
  })
}

interface Place {
  readonly target: string
  readonly ifindex: number
  /** `XDP_FLAGS_…_MODE`. */
  readonly flags: number
}

/** Refuses to replace what others attached; undoes only what this attached (IFLA_XDP_EXPECTED_FD, kernel 5.7). */
function attachOverNetlink(
  sys: Sys,
  program: AttachableProgram,
  place: Place,
): Omit<LinkParts, 'kind' | 'program' | 'target'> {
  set(sys, program, place, program.fd, undefined)
  let held = heldObject(sys, 'prog', program.fd)
  return {
    linkFd: undefined,
    outlivesProcess: true,
    // EEXIST: it is another program's place by now.
    undo: () => {
      undoUnlessGone(() => {
        set(sys, program, place, -1, held.fd)
      }, ['EEXIST', 'ENODEV'])
    },
    release: () => {
      held.close()
    },
    replace: (next) => {
      set(sys, next, place, next.fd, held.fd)
      held.close()
      held = heldObject(sys, 'prog', next.fd)
    },
  }
}

function set(
  sys: Sys,
  program: AttachableProgram,
  place: Place,
  fd: number,
  expected: number | undefined,
): void {
  const extra = xdpFlags.value(expected === undefined ? 'update_if_noexist' : 'replace')
  const answer = askNetlink(sys, {
    type: linux.RTM_SETLINK,
    flags: 0,
    body: ifinfomsg.encode({ ifi_index: place.ifindex }, true),
    attributes: [
      [
        linux.IFLA_XDP,
        [
          [linux.IFLA_XDP_FD, fd],
          [linux.IFLA_XDP_FLAGS, place.flags | extra],
          ...(expected === undefined ? [] : [[linux.IFLA_XDP_EXPECTED_FD, expected] as const]),
        ],
      ],
    ],
  })
  if (answer.result >= 0) return
  const { target } = place
  throw errors.LINK_NETLINK({
    program: program.name,
    target,
    request: 'RTM_SETLINK IFLA_XDP',
    errno: answerErrno(answer),
    text: answer.text,
  })
}

/**
 * Takes an XDP program that is attached over rtnetlink from its device, if it still is the one with this descriptor
 * (kernel 5.7). What a link holds stays. Throws LINK_NETLINK (EEXIST: it is another; EBUSY: a link holds it).
 *
 * @example
 * ```ts no-run
 * import { removeXdp, xdpPrograms } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(xdpPrograms(nativeSys(), 2)) // [ { mode: 'skb', progId: 12 } ]
 * removeXdp(nativeSys(), { fd: 7, name: 'drop' }, { ifindex: 2, mode: 'skb' })
 * ```
 */
export function removeXdp(
  sys: Sys,
  program: AttachableProgram,
  place: { readonly ifindex: number; readonly mode: 'skb' | 'drv' | 'hw' },
): void {
  const { ifindex, mode } = place
  set(
    sys,
    program,
    { target: String(ifindex), ifindex, flags: xdpFlags.value(`${mode}_mode`) },
    -1,
    program.fd,
  )
}
