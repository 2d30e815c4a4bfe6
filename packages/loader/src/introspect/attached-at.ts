import { isTsbpfError } from '@tsbpf/base'
import { xdpPrograms } from '@tsbpf/link'
import { checked, Fd, lackingCapabilities, progQuery } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { attachTypes, linux, queryFlags } from '@tsbpf/uapi'
import { errors } from '../errors.ts'

/** A program at one place; see {@link attachedAt}. */
export interface AttachedProgram {
  /** Kernel spelling in lower case: `cgroup_inet_ingress`, `tcx_egress`; `xdp` for all modes of XDP. */
  readonly attachType: string
  readonly progId: number
  /** Id of the link that holds it; 0 where there is none, or where the kernel does not tell. */
  readonly linkId: number
  /** `BPF_F_ALLOW_…` of a cgroup. */
  readonly attachFlags: number
  /** Of XDP. */
  readonly mode: 'drv' | 'skb' | 'hw' | undefined
}

/** Where to look: a cgroup by its path, a network namespace by its path, a network device by its index. */
export type AttachPlace =
  | { readonly cgroup: string; readonly effective?: boolean }
  | { readonly netns: string }
  | { readonly ifindex: number }

const names = attachTypes.rows.map(({ name }) => name)
const cgroupTypes = names.filter((name) => name.startsWith('cgroup_') || name === 'lsm_cgroup')
const netnsTypes = names.filter((name) => name === 'flow_dissector' || name === 'sk_lookup')
const deviceTypes = names.filter((name) => name.startsWith('tcx_') || name.startsWith('netkit_'))
/** What a kernel says of an attach type that it does not know, or that the place does not have. */
const notHere = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOENT', 'EACCES', 'ENOTSUPP', 'ENXIO'])

/**
 * All programs that are attached at one place, in the order in which they run (BPF_PROG_QUERY, kernel 4.15; tcx and
 * netkit 6.6 and 6.7). With `effective` a cgroup shows also those of the cgroups above it. Needs CAP_NET_ADMIN.
 * Throws LOADER_LISTING, and `SyscallError` where the place cannot be opened.
 *
 * @example
 * ```ts no-run
 * import { attachedAt } from '@tsbpf/loader'
 * for (const { attachType, progId } of attachedAt(sys, { ifindex: 2 })) console.log(attachType, progId)
 * ```
 */
export function attachedAt(sys: Sys, place: AttachPlace): readonly AttachedProgram[] {
  if ('ifindex' in place) {
    const xdp = xdpPrograms(sys, place.ifindex).map(({ mode, progId }) => {
      return { attachType: 'xdp', progId, linkId: 0, attachFlags: 0, mode }
    })
    return [...xdp, ...query(sys, deviceTypes, { target_ifindex: place.ifindex }, true)]
  }
  const path = 'cgroup' in place ? place.cgroup : place.netns
  using fd = new Fd(
    sys,
    checked(sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY), 'openat', undefined, path),
    path,
  )
  if ('netns' in place) return query(sys, netnsTypes, { target_fd: fd.value }, false)
  const flags = place.effective === true ? queryFlags.value('query_effective') : 0
  return query(sys, cgroupTypes, { target_fd: fd.value, query_flags: flags }, false)
}

function query(
  sys: Sys,
  types: readonly (typeof names)[number][],
  target: Parameters<typeof progQuery>[1],
  links: boolean,
): readonly AttachedProgram[] {
  return types.flatMap((attachType) => {
    try {
      const found = progQuery(sys, { ...target, attach_type: attachTypes.value(attachType) }, { links })
      return found.progIds.map((progId, i) => {
        const { attachFlags } = found
        return { attachType, progId, linkId: found.linkIds[i] ?? 0, attachFlags, mode: undefined }
      })
    } catch (cause) {
      if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
      const errno = String(cause.context['errnoName'])
      if (notHere.has(errno)) return []
      if (errno !== 'EPERM') throw cause
      const missing = lackingCapabilities(sys, ['CAP_NET_ADMIN'])
      throw errors.LOADER_LISTING({ what: `what is attached as ${attachType}`, errno, missing }, { cause })
    }
  })
}
