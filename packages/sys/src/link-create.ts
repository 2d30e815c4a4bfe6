import type { ValueOf } from '@tsbpf/base'
import {
  linkCreateAttr,
  linkDetachAttr,
  linkUpdateAttr,
  type LinkCreateAttrFields,
  type LinkUpdateAttrFields,
} from '@tsbpf/uapi'
import { demand } from './command.ts'
import type { AttrPointer, Sys } from './sys.ts'

/**
 * Fields of BPF_LINK_CREATE by their kernel names; those of one kind of link have its name in front:
 * `'perf_event.bpf_cookie'`. Pointer fields go into the parameter `pointers`.
 */
export type LinkCreateFields = Partial<ValueOf<LinkCreateAttrFields>>

/**
 * Attaches a program and returns the descriptor of the link, which the caller closes (BPF_LINK_CREATE, Linux 5.7;
 * a link of a perf event, and so of a tracepoint, 5.15). Throws `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { linkCreate } from '@tsbpf/sys'
 * import { attachTypes } from '@tsbpf/uapi'
 * const link = linkCreate(sys, { prog_fd: prog, target_fd: event, attach_type: attachTypes.value('perf_event') })
 * ```
 */
export function linkCreate(sys: Sys, fields: LinkCreateFields, pointers?: readonly AttrPointer[]): number {
  return demand(sys, 'link_create', linkCreateAttr, fields, pointers).result
}

/** Replaces the program of a link (BPF_LINK_UPDATE, Linux 5.7). Throws `SyscallError`. */
export function linkUpdate(sys: Sys, fields: Partial<ValueOf<LinkUpdateAttrFields>>): void {
  demand(sys, 'link_update', linkUpdateAttr, fields)
}

/** Detaches a link whatever holds it; the link itself stays (BPF_LINK_DETACH, Linux 5.9). Throws `SyscallError`. */
export function linkDetach(sys: Sys, linkFd: number): void {
  demand(sys, 'link_detach', linkDetachAttr, { link_fd: linkFd })
}
