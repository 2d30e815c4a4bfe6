import { attachFlags } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { AttachableProgram } from './link.ts'

/**
 * Where a program or link already stands at a place that runs several in order: `'first'` and `'last'` for the ends,
 * else a program or link by descriptor or by system-wide id.
 */
export type Anchor =
  | { readonly programFd: number }
  | { readonly programId: number }
  | { readonly linkFd: number }
  | { readonly linkId: number }

/** Where among several programs this one is to run; behind all others unless given. */
export interface OrderOptions {
  /** Run before this one, or `'all'`. */
  readonly before?: Anchor | 'all'
  /** Run behind this one, or `'all'`. */
  readonly after?: Anchor | 'all'
  /** Only if nothing has changed since: the revision that a query gave. */
  readonly expectedRevision?: bigint
}

/** The order as the fields of BPF_LINK_CREATE and BPF_PROG_ATTACH have it; the anchor is an id or a descriptor. */
export interface OrderFields {
  readonly flags: number
  readonly relative: number
  readonly relativeIsId: boolean
  readonly revision: bigint
}

/** Translates an order (kernel 6.6 for tcx and netkit, 6.17 for cgroups). Throws LINK_BAD_ORDER. */
export function orderFields(program: AttachableProgram, target: string, options: OrderOptions): OrderFields {
  const { before, after, expectedRevision: revision = 0n } = options
  if (before !== undefined && after !== undefined) {
    throw errors.LINK_BAD_ORDER({ program: program.name, target, expected: 'before or after, not both' })
  }
  const anchor = before ?? after
  if (anchor === undefined) return { flags: 0, relative: 0, relativeIsId: false, revision }
  const side = attachFlags.value(before === undefined ? 'after' : 'before')
  if (anchor === 'all') return { flags: side, relative: 0, relativeIsId: false, revision }
  const link = 'linkFd' in anchor || 'linkId' in anchor ? attachFlags.value('link') : 0
  const relativeIsId = 'programId' in anchor || 'linkId' in anchor
  const relative =
    'programFd' in anchor
      ? anchor.programFd
      : 'programId' in anchor
        ? anchor.programId
        : 'linkFd' in anchor
          ? anchor.linkFd
          : anchor.linkId
  return {
    flags: side | link | (relativeIsId ? attachFlags.value('id') : 0),
    relative,
    relativeIsId,
    revision,
  }
}
