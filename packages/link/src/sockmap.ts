import { attachTypes } from '@tsbpf/uapi'
import { failure, progAttach, progDetach } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { heldObject } from './held-object.ts'
import type { AttachableProgram, Link } from './link.ts'

/** Attach types of programs that a sockmap or sockhash runs for its sockets. */
export type SockmapAttachType =
  'sk_skb_stream_parser' | 'sk_skb_stream_verdict' | 'sk_skb_verdict' | 'sk_msg_verdict'

/** A kernel before 6.10 has no links of sockmaps. */
const unknownLink = new Set([failure('EINVAL'), failure('EOPNOTSUPP')])

/**
 * Attaches a program to a sockmap or sockhash: it runs for the sockets in the map. Kernel 4.14; a link from 6.10 on.
 *
 * `map` is the map's descriptor, and only needed for this call; without a link the attachment ends with the map.
 * Needs CAP_NET_ADMIN. Throws LINK_DENIED, LINK_REFUSED, `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { attachSockmap } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachSockmap(nativeSys(), { fd: 7, name: 'verdict' }, 'sk_msg_verdict', { fd: 8, name: 'sockets' })
 * ```
 */
export function attachSockmap(
  sys: Sys,
  program: AttachableProgram,
  attachType: SockmapAttachType,
  map: { readonly fd: number; readonly name: string },
): Link {
  const place = { target_fd: map.fd, attach_type: attachTypes.value(attachType) }
  return createLink(sys, {
    kind: 'sockmap',
    program,
    target: map.name,
    wants: ['CAP_NET_ADMIN', 'CAP_BPF'],
    fields: place,
    otherwise: (result) => {
      if (!unknownLink.has(result)) return undefined
      progAttach(sys, { ...place, attach_bpf_fd: program.fd })
      const held = heldObject(sys, 'prog', program.fd)
      const heldMap = heldObject(sys, 'map', map.fd)
      return {
        linkFd: undefined,
        undo: () => {
          progDetach(sys, { ...place, target_fd: heldMap.fd, attach_bpf_fd: held.fd })
        },
        release: () => {
          held.close()
          heldMap.close()
        },
      }
    },
  })
}
