import { makeInsn, encodeInsns } from '@tsbpf/isa'
import { errnoName, Fd, linkCreate, progLoad, rawTracepointOpen, SyscallError } from '@tsbpf/sys'
import type { AttrPointer, LinkCreateFields, Sys } from '@tsbpf/sys'
import { nulTerminated } from '@tsbpf/base'
import { attachTypes, linkCreateAttr, progTypes, xdpFlags } from '@tsbpf/uapi'
import type { AttachTypeName, ProgTypeName } from '@tsbpf/uapi'
import { cached, checkPrivilege } from './evidence.ts'
import type { FeatureEvidence } from './evidence.ts'

/** How a link type is asked for: a link that cannot be, and how a kernel that knows the type says so. */
interface LinkProbe {
  readonly program: ProgTypeName
  readonly attach: AttachTypeName
  readonly fields: LinkCreateFields
  readonly pointers?: () => readonly AttrPointer[]
  /** Why the kernel cannot make it, once it knows the type. */
  readonly known: readonly string[]
  readonly what: string
}

/** An index that no device has. */
const noDevice = 0x7fff_ffff
const pointer = (at: number, buffer: Uint8Array, pointers?: readonly AttrPointer[]): AttrPointer =>
  pointers === undefined ? { at, buffer } : { at, buffer, pointers }
const at = linkCreateAttr.offsets

const probes = {
  perf_event: {
    program: 'tracepoint',
    attach: 'perf_event',
    fields: { target_fd: 0xffff_ffff },
    known: ['EBADF'],
    what: 'of no descriptor',
  },
  cgroup: {
    program: 'cgroup_skb',
    attach: 'cgroup_inet_ingress',
    fields: { target_fd: 0xffff_ffff },
    known: ['EBADF'],
    what: 'to no cgroup',
  },
  netns: {
    program: 'sk_lookup',
    attach: 'sk_lookup',
    fields: { target_fd: 0xffff_ffff },
    known: ['EBADF'],
    what: 'to no namespace',
  },
  // The loopback device has no driver that runs programs.
  xdp: {
    program: 'xdp',
    attach: 'xdp',
    fields: { target_ifindex: 1, flags: xdpFlags.value('drv_mode') },
    known: ['EOPNOTSUPP'],
    what: 'in the driver of lo',
  },
  tcx: {
    program: 'sched_cls',
    attach: 'tcx_ingress',
    fields: { target_ifindex: noDevice },
    known: ['ENODEV'],
    what: 'to no device',
  },
  netkit: {
    program: 'sched_cls',
    attach: 'netkit_primary',
    fields: { target_ifindex: noDevice },
    known: ['ENODEV'],
    what: 'to no device',
  },
  netfilter: {
    program: 'netfilter',
    attach: 'netfilter',
    fields: { 'netfilter.pf': 0xffff },
    known: ['EAFNOSUPPORT'],
    what: 'for no protocol',
  },
  sockmap: {
    program: 'sk_msg',
    attach: 'sk_msg_verdict',
    fields: { target_fd: 0xffff_ffff },
    known: ['EBADF'],
    what: 'to no map',
  },
  kprobe_multi: {
    program: 'kprobe',
    attach: 'trace_kprobe_multi',
    fields: { 'kprobe_multi.cnt': 1 },
    pointers: () => [
      pointer(at['kprobe_multi.syms'], new Uint8Array(8), [
        pointer(0, nulTerminated('tsbpf_no_such_function')),
      ]),
    ],
    known: ['ESRCH', 'ENOENT'],
    what: 'to no function',
  },
  uprobe_multi: {
    program: 'kprobe',
    attach: 'trace_uprobe_multi',
    fields: { 'uprobe_multi.cnt': 1 },
    pointers: () => [
      pointer(at['uprobe_multi.path'], nulTerminated('/')),
      pointer(at['uprobe_multi.offsets'], new Uint8Array(8)),
    ],
    known: ['EBADF'],
    what: 'to a folder',
  },
} as const satisfies Readonly<Record<string, LinkProbe>>

/** Link types that {@link probeLinkType} can ask for; the kinds of a kernel's BTF are those of `tracing` programs. */
export type ProbedLinkType = keyof typeof probes | 'raw_tracepoint'

/** All of them. */
export const probedLinkTypes = [...Object.keys(probes), 'raw_tracepoint'] as readonly ProbedLinkType[]

/** A program that returns 1, which every type here may. */
function program(sys: Sys, type: ProgTypeName, attach: AttachTypeName | undefined): number {
  const code = [makeInsn('mov64_imm', { dst: 0, imm: 1 }), makeInsn('exit')]
  const insns = encodeInsns(code, { littleEndian: true })
  const expected_attach_type = attach === undefined || attach === 'perf_event' ? 0 : attachTypes.value(attach)
  return progLoad(sys, { prog_type: progTypes.value(type), expected_attach_type, insns, license: 'GPL' }).fd
}

/**
 * Whether this kernel has a link type: a link is made that cannot be, such as to no device, and a kernel that knows the
 * type says what is wrong with it, one that does not EINVAL. Nothing is attached. Asked once for each door.
 * Throws LOADER_PROBE_DENIED where this process may not try.
 *
 * @example
 * ```ts no-run
 * import { probeLinkType } from '@tsbpf/loader'
 * console.log(probeLinkType(sys, 'tcx').supported)
 * ```
 */
export function probeLinkType(sys: Sys, type: ProbedLinkType): FeatureEvidence {
  return cached(sys, `link type ${type}`, () => {
    const probe: LinkProbe | undefined = type === 'raw_tracepoint' ? undefined : probes[type]
    const tried = `link a program of type ${probe?.program ?? type} ${probe?.what ?? 'to no tracepoint'}`
    const made = program(sys, probe?.program ?? 'raw_tracepoint', probe?.attach)
    if (made < 0) {
      const errno = errnoName(made)
      checkPrivilege(sys, tried, errno)
      return { supported: false, tried, answer: `program: ${errno}` }
    }
    using held = new Fd(sys, made, 'program')
    const known: readonly string[] = probe?.known ?? ['ENOENT']
    try {
      const fd =
        probe === undefined
          ? rawTracepointOpen(sys, 'tsbpf_no_such_tracepoint', held.value)
          : linkCreate(
              sys,
              { ...probe.fields, prog_fd: held.value, attach_type: attachTypes.value(probe.attach) },
              probe.pointers?.(),
            )
      sys.close(fd)
      return { supported: true, tried, answer: 'ok' }
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      const { errnoName: errno } = error
      checkPrivilege(sys, tried, errno)
      return { supported: known.includes(errno), tried, answer: errno }
    }
  })
}
