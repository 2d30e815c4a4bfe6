import { isTsbpfError } from '@tsbpf/base'
import { linkCreate } from '@tsbpf/sys'
import type { AttrPointer, CapabilityName, LinkCreateFields, Sys } from '@tsbpf/sys'
import { Link } from './link.ts'
import type { AttachableProgram, LinkParts } from './link.ts'
import { refused, resultOf } from './refused.ts'

/** A link to be made with BPF_LINK_CREATE. */
export interface LinkRequest {
  readonly kind: string
  readonly program: AttachableProgram
  readonly target: string
  /** Capabilities that the kernel wants. */
  readonly wants: readonly CapabilityName[]
  /** All fields but the program's descriptor. */
  readonly fields: LinkCreateFields
  readonly pointers?: readonly AttrPointer[]
  /** See {@link LinkParts}; called too when the link cannot be made. */
  readonly release?: () => void
  /** Another way, for a kernel that answers so; `undefined` where it is no answer of an old kernel. */
  readonly otherwise?: (result: number) => Omit<LinkParts, 'kind' | 'program' | 'target'> | undefined
}

/** Makes a link. Throws LINK_DENIED and LINK_REFUSED. */
export function createLink(sys: Sys, request: LinkRequest): Link {
  const { kind, program, target, release } = request
  const named = { kind, program: program.name, target }
  try {
    const linkFd = linkCreate(sys, { ...request.fields, prog_fd: program.fd }, request.pointers)
    return new Link(sys, { ...named, linkFd, ...(release === undefined ? {} : { release }) })
  } catch (error) {
    let last = error
    try {
      const parts = request.otherwise?.(resultOf(error))
      if (parts !== undefined) return new Link(sys, { ...named, ...parts })
    } catch (other) {
      last = other
    }
    release?.()
    if (!isTsbpfError(last, 'SYS_CALL_FAILED')) throw last
    const step = `BPF_${String(last.context['command']).toUpperCase()}`
    throw refused(sys, { program, target, step, wants: request.wants }, resultOf(last), last)
  }
}
