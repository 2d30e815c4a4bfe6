import { attachTypes, linux, netfilterFlags, netfilterHooks } from '@tsbpf/uapi'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'

/** Options of {@link attachNetfilter}. */
export interface NetfilterOptions {
  /** Programs and rules with a lower number run first; 0 unless given, which the kernel takes from nobody else. */
  readonly priority?: number
  /** Put fragments together before the program sees them (kernel 6.6). The priority must be above -400. */
  readonly defragment?: true
}

const families = new Map([
  ['ipv4', linux.NFPROTO_IPV4],
  ['ipv6', linux.NFPROTO_IPV6],
])

/**
 * Attaches a program to a hook of netfilter in this process's network namespace. Kernel 6.4.
 *
 * `target` is family and hook: `ipv4/local_in`, `ipv6/pre_routing`, with the kernel's names in lower case.
 * The attachment ends with the process. Needs CAP_NET_ADMIN. Throws LINK_BAD_TARGET, LINK_DENIED, LINK_REFUSED
 * (EBUSY: the priority is taken).
 *
 * @example
 * ```ts no-run
 * import { attachNetfilter } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachNetfilter(nativeSys(), { fd: 7, name: 'count' }, 'ipv4/local_in', { priority: -128 })
 * ```
 */
export function attachNetfilter(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: NetfilterOptions = {},
): Link {
  const [family = '', hookName = '', ...rest] = target.split('/')
  const pf = families.get(family)
  const hook = netfilterHooks.byName(hookName)
  if (pf === undefined || hook === undefined || rest.length > 0) {
    const hooks = netfilterHooks.rows
      .map(({ name }) => name)
      .filter((name) => name !== 'numhooks')
      .join(', ')
    throw errors.LINK_BAD_TARGET({
      program: program.name,
      target,
      expected: `ipv4 or ipv6, a slash, and one of ${hooks}`,
    })
  }
  return createLink(sys, {
    kind: 'netfilter',
    program,
    target,
    wants: ['CAP_NET_ADMIN', 'CAP_BPF'],
    fields: {
      attach_type: attachTypes.value('netfilter'),
      'netfilter.pf': pf,
      'netfilter.hooknum': hook.value,
      'netfilter.priority': options.priority ?? 0,
      'netfilter.flags': options.defragment === true ? netfilterFlags.value('ip_defrag') : 0,
    },
  })
}
