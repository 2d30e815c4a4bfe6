import type { Sys } from '@tsbpf/sys'
import type { AttachTypeName } from '@tsbpf/uapi'
import type { AttachKind } from './attach-kind.ts'
import type { AttachOptions, SectionProgram } from './attach-options.ts'
import type { LwtHook } from './bpf-routes.ts'
import { attachCgroup } from './cgroup.ts'
import { errors } from './errors.ts'
import type { Link } from './link.ts'
import { attachLirc } from './lirc.ts'
import { attachLwt } from './lwt.ts'
import { attachNetfilter } from './netfilter.ts'
import { attachNetns } from './netns.ts'
import { attachReuseport, attachSocketFilter } from './socket.ts'
import { attachSockmap } from './sockmap.ts'
import type { SockmapAttachType } from './sockmap.ts'
import { attachTc, attachTcAction } from './tc.ts'
import { attachTcx } from './tcx.ts'
import type { DeviceAttachType } from './tcx.ts'
import { attachXdp } from './xdp.ts'

/** Kinds of attachment to devices, cgroups, namespaces and sockets. */
export const networkKinds: readonly AttachKind[] = [
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
    kind: 'tc_action',
    types: ['sched_act'],
    attachTypes: [undefined],
    sinceKernel: '4.13',
    endsWithProcess: false,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a network device such as eth0',
    attach: (sys, program, target, options) => attachTcAction(sys, program, target, options.tc),
  },
  {
    kind: 'lwt',
    types: ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'],
    attachTypes: [undefined],
    sinceKernel: '4.10, seg6local 4.18',
    endsWithProcess: false,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a route such as 10.9.0.0/24 dev eth0',
    attach: (sys, program, target) =>
      attachLwt(sys, program, (program.type ?? '').replace('lwt_', '') as LwtHook, target),
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
    attachTypes: [
      'sk_skb_stream_parser',
      'sk_skb_stream_verdict',
      'sk_skb_verdict',
      'sk_msg_verdict',
      undefined,
    ],
    sinceKernel: '4.14, a link from 6.10',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'the option map: a sockmap or sockhash',
    attach: (sys, program, _target, { map, attachType = program.attachType }) => {
      if (map === undefined) throw noTarget(program, 'the option map: a sockmap or sockhash')
      if (attachType === undefined)
        throw noTarget(
          program,
          'the option attachType: sk_skb_stream_parser, sk_skb_stream_verdict or sk_skb_verdict',
        )
      return attachSockmap(sys, program, attachType as SockmapAttachType, map)
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
