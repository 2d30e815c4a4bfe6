// Attaches what outlives a process, and the same by links, says so, and waits for its end: SIGUSR2 is an uncaught error.
import { attachCgroup, attachLwt, attachTc, attachTracepoint, attachXdp } from '@tsbpf/link'
import { mapCreate, objPin, progLoad } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { attachTypes, commands, errnos, mapTypes, progTypes } from '@tsbpf/uapi'
import type { AttachTypeName, ProgTypeName } from '@tsbpf/uapi'

const [cgroup = '', folder = ''] = process.argv.slice(2)
const sys = nativeSys()

/** The running kernel as if it had no links. */
const withoutLinks = {
  ...sys,
  bpf: (...[cmd, ...rest]: Parameters<typeof sys.bpf>) =>
    cmd === commands.value('link_create') ? -errnos.value('EINVAL') : sys.bpf(cmd, ...rest),
}

/** A program that lets everything pass. */
function program(name: string, type: ProgTypeName, attachType?: AttachTypeName, returns = 0) {
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value(type),
    prog_name: name,
    expected_attach_type: attachType === undefined ? 0 : attachTypes.value(attachType),
    insns: Uint8Array.of(0xb7, 0, 0, 0, returns, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0), // r0 = returns; exit
    license: 'GPL',
  })
  if (fd < 0) throw new Error(`${name} cannot be loaded: ${fd}`)
  return { fd, name }
}

const xdpPass = 2
attachXdp(sys, program('on_netlink', 'xdp', 'xdp', xdpPass), 'lo', { mode: 'skb', netlink: true })
attachXdp(sys, program('on_link', 'xdp', 'xdp', xdpPass), 'right', { mode: 'skb' })
attachTc(sys, program('on_clsact', 'sched_cls'), 'lo', { direction: 'egress', priority: 7, handle: 3 })
attachLwt(sys, program('on_route', 'lwt_xmit'), 'xmit', '10.77.0.0/24 dev lo')
const device = program('on_cgroup', 'cgroup_device', 'cgroup_device', 1)
attachCgroup(withoutLinks, device, 'cgroup_device', cgroup)
attachCgroup(sys, device, 'cgroup_device', cgroup)
const map = mapCreate(sys, {
  ...{ map_type: mapTypes.value('array'), key_size: 4, value_size: 8, max_entries: 1 },
  map_name: 'on_bpffs',
})
objPin(sys, `${folder}/map`, map, { untilEnd: true })
const traced = attachTracepoint(sys, program('on_trace', 'tracepoint'), 'raw_syscalls/sys_enter')
traced.pin(`${folder}/link`, { untilEnd: true })

process.on('SIGUSR2', () => {
  throw new Error('uncaught on purpose')
})
process.stdout.write('{}\n')
setInterval(() => undefined, 1000)
