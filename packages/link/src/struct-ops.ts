import { attachTypes } from '@tsbpf/uapi'
import { linkCreate } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { Link } from './link.ts'
import { refused, resultOf } from './refused.ts'

/**
 * Registers the operations that a struct_ops map made with `BPF_F_LINK` holds (a section `.struct_ops.link`), until the
 * link is detached or this process ends. Kernel 6.4.
 *
 * `map` is the map's descriptor and name. Needs CAP_BPF and CAP_PERFMON; CAP_NET_ADMIN for those of the network.
 * Throws LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachStructOps } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachStructOps(nativeSys(), { fd: 8, name: 'my_congestion_control' })
 * ```
 */
export function attachStructOps(sys: Sys, map: { readonly fd: number; readonly name: string }): Link {
  try {
    // The map stands where other links have the program.
    const linkFd = linkCreate(sys, { map_fd: map.fd, attach_type: attachTypes.value('struct_ops') })
    return new Link(sys, { kind: 'struct_ops', program: map.name, target: map.name, linkFd })
  } catch (error) {
    const wants = ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN'] as const
    const attempt = { program: map, target: map.name, step: 'BPF_LINK_CREATE', wants }
    throw refused(sys, attempt, resultOf(error), error)
  }
}
