import type { ValueOf } from '@tsbpf/base'
import { iterCreateAttr, progAttachAttr, progQueryAttr } from '@tsbpf/uapi'
import type { ProgAttachAttrFields, ProgQueryAttrFields } from '@tsbpf/uapi'
import { demand, littleEndian, pointerTo } from './command.ts'
import type { Sys } from './sys.ts'

/** Fields of BPF_PROG_ATTACH and BPF_PROG_DETACH by their kernel names. */
export type ProgAttachFields = Partial<ValueOf<ProgAttachAttrFields>>

/**
 * Attaches a program without a link (BPF_PROG_ATTACH, Linux 4.10). It stays attached when the process ends, until
 * {@link progDetach} or the end of what it is attached to. Throws `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { progAttach, progDetach } from '@tsbpf/sys'
 * import { attachTypes } from '@tsbpf/uapi'
 * const place = { target_fd: sockmap, attach_bpf_fd: prog, attach_type: attachTypes.value('sk_msg_verdict') }
 * progAttach(sys, place)
 * progDetach(sys, place)
 * ```
 */
export function progAttach(sys: Sys, fields: ProgAttachFields): void {
  demand(sys, 'prog_attach', progAttachAttr, fields)
}

/** Undoes {@link progAttach} with the same fields (BPF_PROG_DETACH, Linux 4.10). Throws `SyscallError`. */
export function progDetach(sys: Sys, fields: ProgAttachFields): void {
  demand(sys, 'prog_detach', progAttachAttr, fields)
}

/** What is attached at one place; see {@link progQuery}. */
export interface AttachedPrograms {
  /** Ids of the programs, in the order in which they run. */
  readonly progIds: readonly number[]
  /** Id of the link by which each is attached, 0 where it is attached without; empty where the kernel does not tell. */
  readonly linkIds: readonly number[]
  /** `BPF_F_ALLOW_…` of the place. */
  readonly attachFlags: number
  /** Grows with each change; 0 where the kernel does not count them (tcx and netkit 6.6, cgroup 6.17). */
  readonly revision: bigint
}

/** The kernel's own limit for one place is 64. */
const room = 64

/**
 * What is attached at a cgroup, network device, network namespace or map (BPF_PROG_QUERY, Linux 4.15).
 * Throws `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { progQuery } from '@tsbpf/sys'
 * import { attachTypes } from '@tsbpf/uapi'
 * console.log(progQuery(sys, { target_ifindex: 1, attach_type: attachTypes.value('tcx_ingress') }).progIds)
 * ```
 */
export function progQuery(
  sys: Sys,
  place: Partial<
    Pick<ValueOf<ProgQueryAttrFields>, 'target_fd' | 'target_ifindex' | 'attach_type' | 'query_flags'>
  >,
  options: { readonly links?: boolean } = {},
): AttachedPrograms {
  const ids = new Uint8Array(room * 4)
  const links = new Uint8Array(room * 4)
  const pointers = [pointerTo(progQueryAttr, 'prog_ids', ids)]
  if (options.links === true) pointers.push(pointerTo(progQueryAttr, 'link_ids', links))
  const { attr } = demand(sys, 'prog_query', progQueryAttr, { ...place, count: room }, pointers)
  const told = progQueryAttr.readAt(attr, 0, littleEndian)
  const numbers = (bytes: Uint8Array): number[] => {
    const view = new DataView(bytes.buffer)
    return Array.from({ length: Math.min(told.count, room) }, (_, i) => view.getUint32(i * 4, littleEndian))
  }
  return {
    progIds: numbers(ids),
    linkIds: options.links === true ? numbers(links) : [],
    attachFlags: told.attach_flags,
    revision: told.revision,
  }
}

/** A descriptor that gives the output of an iterator's link when it is read (BPF_ITER_CREATE, Linux 5.8). Throws `SyscallError`. */
export function iterCreate(sys: Sys, linkFd: number): number {
  return demand(sys, 'iter_create', iterCreateAttr, { link_fd: linkFd }).result
}
