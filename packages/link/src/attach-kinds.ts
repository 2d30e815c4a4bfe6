import type { AttachTypeName } from '@tsbpf/uapi'
import type { Sys } from '@tsbpf/sys'
import type { AttachOptions, SectionProgram } from './attach-options.ts'
import { attachCgroup } from './cgroup.ts'
import { errors } from './errors.ts'
import { freplaceKind } from './freplace.ts'
import { attachIterator } from './iterator.ts'
import { attachKprobeMulti } from './kprobe-multi.ts'
import { attachKprobe } from './kprobe.ts'
import { attachKsyscall } from './ksyscall.ts'
import type { Link } from './link.ts'
import { attachLirc } from './lirc.ts'
import { attachNetfilter } from './netfilter.ts'
import { attachNetns } from './netns.ts'
import { attachPerfSampling } from './perf-sampling.ts'
import { attachRawTracepoint } from './raw-tracepoint.ts'
import { attachReuseport, attachSocketFilter } from './socket.ts'
import { attachSockmap } from './sockmap.ts'
import type { SockmapAttachType } from './sockmap.ts'
import { attachTc } from './tc.ts'
import { attachTcx } from './tcx.ts'
import type { DeviceAttachType } from './tcx.ts'
import { attachTracepoint } from './tracepoint.ts'
import { attachTracing } from './tracing.ts'
import type { TracingAttachType } from './tracing.ts'
import { attachUprobeMulti } from './uprobe-multi.ts'
import { attachUprobe } from './uprobe.ts'
import { attachUsdt } from './usdt.ts'
import { attachXdp } from './xdp.ts'

/** One kind of attachment. */
export interface AttachKind {
  readonly kind: string
  /** Program types, in the kernel's spelling. */
  readonly types: readonly string[]
  /** Attach types; `undefined` where the program type has none. */
  readonly attachTypes: readonly (string | undefined)[]
  /** What the section name starts with, where types do not tell kinds apart. */
  readonly prefixes?: readonly string[]
  readonly sinceKernel: string
  /** The attachment is gone when the process ends, however it ends. */
  readonly endsWithProcess: boolean
  /** The target was fixed when the program was loaded. */
  readonly targetAtLoad: boolean
  /** A section name with a target is enough to attach, and makes nothing but the kernel look at the target. */
  readonly byItself: boolean
  /** What a target looks like; what to give instead, where it is no text. */
  readonly targetShape: string
  attach(sys: Sys, program: SectionProgram, target: string, options: AttachOptions): Link
}

const prefixOf = (program: SectionProgram): string => program.section.replace(/\/.*$/s, '')

/** True for a section name that asks for the return of functions. */
const isReturn = (program: SectionProgram): boolean => /^(?:k|u)ret(?:probe|syscall)/.test(prefixOf(program))

const cookieOf = ({ cookie }: AttachOptions): { readonly cookie?: bigint } =>
  cookie === undefined ? {} : { cookie }

/** Every kind of attachment there is: the registry and the support table. */
export const attachKinds: readonly AttachKind[] = [
  {
    kind: 'tracepoint',
    types: ['tracepoint'],
    attachTypes: [undefined],
    sinceKernel: '4.7',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'category/name, such as raw_syscalls/sys_enter',
    attach: attachTracepoint,
  },
  {
    kind: 'raw_tracepoint',
    types: ['raw_tracepoint', 'raw_tracepoint_writable'],
    attachTypes: [undefined],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a name such as sys_enter',
    attach: attachRawTracepoint,
  },
  {
    kind: 'tracing',
    types: ['tracing', 'lsm'],
    attachTypes: [
      'trace_raw_tp',
      'trace_fentry',
      'trace_fexit',
      'modify_return',
      'trace_fsession',
      'lsm_mac',
    ],
    sinceKernel: '5.5',
    endsWithProcess: true,
    targetAtLoad: true,
    byItself: true,
    targetShape: 'a name such as sys_enter or do_unlinkat',
    attach: (sys, program, target, options) =>
      attachTracing(sys, program, program.attachType as TracingAttachType, target, cookieOf(options)),
  },
  freplaceKind,
  {
    kind: 'iterator',
    types: ['tracing'],
    attachTypes: ['trace_iter'],
    sinceKernel: '5.8',
    endsWithProcess: true,
    targetAtLoad: true,
    byItself: true,
    targetShape: 'what to walk, such as task',
    attach: attachIterator,
  },
  {
    kind: 'kprobe',
    types: ['kprobe'],
    attachTypes: [undefined],
    prefixes: ['kprobe', 'kretprobe'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a kernel function such as do_unlinkat',
    attach: (sys, program, target, options) =>
      attachKprobe(sys, program, target, { retprobe: isReturn(program), ...cookieOf(options) }),
  },
  {
    kind: 'ksyscall',
    types: ['kprobe'],
    attachTypes: [undefined],
    prefixes: ['ksyscall', 'kretsyscall'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a system call such as unlinkat',
    attach: (sys, program, target, options) =>
      attachKsyscall(sys, program, target, { retprobe: isReturn(program), ...cookieOf(options) }),
  },
  {
    kind: 'uprobe',
    types: ['kprobe'],
    attachTypes: [undefined],
    prefixes: ['uprobe', 'uprobe.s', 'uretprobe', 'uretprobe.s'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a file, a colon and a function, such as libc.so.6:malloc',
    attach: (sys, program, target, options) =>
      attachUprobe(sys, program, target, { ...options, retprobe: isReturn(program) }),
  },
  {
    kind: 'usdt',
    types: ['kprobe'],
    attachTypes: [undefined, 'trace_uprobe_multi'],
    prefixes: ['usdt', 'usdt.s'],
    sinceKernel: '5.15',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a file, a provider and a name, such as libc.so.6:libc:setjmp',
    attach: (sys, program, target, { usdtSpecs, ...options }) =>
      attachUsdt(sys, program, target, {
        ...options,
        ...(usdtSpecs === undefined ? {} : { specs: usdtSpecs }),
        multi: program.attachType === 'trace_uprobe_multi',
      }),
  },
  {
    kind: 'kprobe_multi',
    types: ['kprobe'],
    attachTypes: ['trace_kprobe_multi', 'trace_kprobe_session'],
    sinceKernel: '5.18',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a pattern of kernel functions, such as vfs_*',
    attach: (sys, program, target, options) =>
      attachKprobeMulti(sys, program, target, {
        retprobe: isReturn(program),
        session: program.attachType === 'trace_kprobe_session',
        ...(options.cookies === undefined ? {} : { cookies: options.cookies }),
      }),
  },
  {
    kind: 'uprobe_multi',
    types: ['kprobe'],
    attachTypes: ['trace_uprobe_multi', 'trace_uprobe_session'],
    sinceKernel: '6.6',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a file, a colon and a pattern of functions, such as libc.so.6:mall*',
    attach: (sys, program, target, options) => {
      const colon = target.lastIndexOf(':')
      return attachUprobeMulti(
        sys,
        program,
        { path: target.slice(0, colon), functions: target.slice(colon + 1) },
        { ...options, retprobe: isReturn(program), session: program.attachType === 'trace_uprobe_session' },
      )
    },
  },
  {
    kind: 'perf_event',
    types: ['perf_event'],
    attachTypes: [undefined],
    sinceKernel: '4.9',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'an event of the kernel, such as cpu_clock',
    attach: attachPerfSampling,
  },
  {
    kind: 'xdp',
    types: ['xdp'],
    attachTypes: ['xdp'],
    sinceKernel: '4.8, a link from 5.9',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a network device such as eth0',
    attach: attachXdp,
  },
  {
    kind: 'tcx',
    types: ['sched_cls'],
    attachTypes: ['tcx_ingress', 'tcx_egress', 'netkit_primary', 'netkit_peer'],
    sinceKernel: '6.6, netkit 6.7',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a network device such as eth0',
    attach: (sys, program, target, options) =>
      attachTcx(sys, program, program.attachType as DeviceAttachType, target, options),
  },
  {
    kind: 'tc',
    types: ['sched_cls'],
    attachTypes: [undefined],
    sinceKernel: '4.5',
    endsWithProcess: false,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a network device such as eth0',
    attach: (sys, program, target, options) => attachTc(sys, program, target, options.tc),
  },
  {
    kind: 'netfilter',
    types: ['netfilter'],
    attachTypes: ['netfilter'],
    sinceKernel: '6.4',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'family and hook, such as ipv4/local_in',
    attach: attachNetfilter,
  },
  {
    kind: 'netns',
    types: ['sk_lookup', 'flow_dissector'],
    attachTypes: ['sk_lookup', 'flow_dissector'],
    sinceKernel: '5.8',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a network namespace such as /proc/self/ns/net',
    attach: (sys, program, target) =>
      attachNetns(sys, program, program.attachType as 'sk_lookup' | 'flow_dissector', target),
  },
  {
    kind: 'cgroup',
    types: [
      'cgroup_skb',
      'cgroup_sock',
      'cgroup_sock_addr',
      'cgroup_sockopt',
      'cgroup_sysctl',
      'cgroup_device',
      'sock_ops',
    ],
    attachTypes: [],
    sinceKernel: '4.10, a link from 5.7',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a cgroup such as system.slice',
    attach: attachToCgroup,
  },
  {
    kind: 'cgroup',
    types: ['lsm'],
    attachTypes: ['lsm_cgroup'],
    sinceKernel: '6.0',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a cgroup such as system.slice',
    attach: attachToCgroup,
  },
  {
    kind: 'sockmap',
    types: ['sk_skb', 'sk_msg'],
    attachTypes: ['sk_skb_stream_parser', 'sk_skb_stream_verdict', 'sk_skb_verdict', 'sk_msg_verdict'],
    sinceKernel: '4.14, a link from 6.10',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'the option map: a sockmap or sockhash',
    attach: (sys, program, _target, { map }) => {
      if (map === undefined) throw noTarget(program, 'the option map: a sockmap or sockhash')
      return attachSockmap(sys, program, program.attachType as SockmapAttachType, map)
    },
  },
  {
    kind: 'socket_filter',
    types: ['socket_filter'],
    attachTypes: [undefined],
    sinceKernel: '3.19',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'the option socket: a descriptor',
    attach: (sys, program, _target, { socket }) => {
      if (socket === undefined) throw noTarget(program, 'the option socket: a descriptor')
      return attachSocketFilter(sys, program, socket)
    },
  },
  {
    kind: 'sk_reuseport',
    types: ['sk_reuseport'],
    attachTypes: ['sk_reuseport_select', 'sk_reuseport_select_or_migrate'],
    sinceKernel: '4.19',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'the option socket: a descriptor',
    attach: (sys, program, _target, { socket }) => {
      if (socket === undefined) throw noTarget(program, 'the option socket: a descriptor')
      return attachReuseport(sys, program, socket)
    },
  },
  {
    kind: 'lirc_mode2',
    types: ['lirc_mode2'],
    attachTypes: ['lirc_mode2'],
    sinceKernel: '4.18',
    endsWithProcess: false,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'an infrared receiver such as /dev/lirc0',
    attach: attachLirc,
  },
]

function attachToCgroup(sys: Sys, program: SectionProgram, target: string, options: AttachOptions): Link {
  const attachType = options.attachType ?? program.attachType
  if (attachType === undefined)
    throw noTarget(program, 'the option attachType: cgroup_inet_ingress or cgroup_inet_egress')
  return attachCgroup(sys, program, attachType as AttachTypeName, target, options)
}

function noTarget(program: SectionProgram, expected: string): Error {
  return errors.LINK_NO_TARGET({ program: program.name, expected })
}
