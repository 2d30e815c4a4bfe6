import { attachTypes } from '@tsbpf/uapi'
import type { LinkCreateFields, Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { deviceIndex } from './device.ts'
import type { AttachableProgram, Link } from './link.ts'
import { orderFields } from './order.ts'
import type { OrderOptions } from './order.ts'

/** Attach types of programs at a network device that run in an order. */
export type DeviceAttachType = 'tcx_ingress' | 'tcx_egress' | 'netkit_primary' | 'netkit_peer'

/**
 * Attaches a traffic control program to a network device (tcx, kernel 6.6) or to a netkit pair (kernel 6.7).
 *
 * `attachType` says where; several programs run in an order, which `before` and `after` change. The attachment
 * ends with the process. Needs CAP_NET_ADMIN and CAP_BPF. On older kernels {@link attachTc} does it.
 * Throws LINK_BAD_TARGET, LINK_UNKNOWN_DEVICE, LINK_BAD_ORDER, LINK_NETLINK, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachTcx } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachTcx(nativeSys(), { fd: 7, name: 'count' }, 'tcx_ingress', 'eth0', { before: 'all' })
 * ```
 */
export function attachTcx(
  sys: Sys,
  program: AttachableProgram,
  attachType: DeviceAttachType,
  target: string,
  options: OrderOptions = {},
): Link {
  const { flags, relative, relativeIsId, revision } = orderFields(program, target, options)
  const kind = attachType.startsWith('tcx') ? 'tcx' : 'netkit'
  const order: LinkCreateFields =
    kind === 'tcx'
      ? {
          [relativeIsId ? 'tcx.relative_id' : 'tcx.relative_fd']: relative,
          'tcx.expected_revision': revision,
        }
      : {
          [relativeIsId ? 'netkit.relative_id' : 'netkit.relative_fd']: relative,
          'netkit.expected_revision': revision,
        }
  return createLink(sys, {
    kind,
    program,
    target,
    wants: ['CAP_NET_ADMIN', 'CAP_BPF'],
    fields: {
      target_ifindex: deviceIndex(sys, program, target),
      attach_type: attachTypes.value(attachType),
      flags,
      ...order,
    },
  })
}
