import { attachTypes, linux } from '@tsbpf/uapi'
import { errnoName } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'

/** The calling process's own network namespace. */
const own = '/proc/self/ns/net'

/**
 * Attaches a program to a network namespace: a flow dissector (kernel 5.8, one for each namespace) or a socket lookup
 * (kernel 5.9, several in the order of attaching). The attachment ends with the process.
 *
 * `target` is the path of a namespace, such as `/run/netns/blue` or `/proc/123/ns/net`; this process's own is
 * `/proc/self/ns/net`. Needs CAP_NET_ADMIN in it. Throws LINK_OPEN, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachNetns } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachNetns(nativeSys(), { fd: 7, name: 'steer' }, 'sk_lookup')
 * ```
 */
export function attachNetns(
  sys: Sys,
  program: AttachableProgram,
  attachType: 'sk_lookup' | 'flow_dissector',
  target: string = own,
): Link {
  const fd = sys.openat(linux.AT_FDCWD, target, linux.O_RDONLY)
  if (fd < 0) throw errors.LINK_OPEN({ program: program.name, target, path: target, errno: errnoName(fd) })
  try {
    return createLink(sys, {
      kind: attachType,
      program,
      target,
      wants: ['CAP_NET_ADMIN', 'CAP_BPF'],
      fields: { target_fd: fd, attach_type: attachTypes.value(attachType) },
    })
  } finally {
    sys.close(fd)
  }
}
