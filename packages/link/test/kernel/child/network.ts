// Attaches every kind that has to do with the network, in a network namespace of its own, and prints what ran.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import { execFileSync } from 'node:child_process'
import { isTsbpfError } from '@tsbpf/base'
import { mapCreate, progGetInfo, progQuery } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { attachTypes, commands, errnos, mapTypes } from '@tsbpf/uapi'
import {
  attachNetfilter,
  attachNetns,
  attachSockmap,
  attachTc,
  attachTcx,
  attachXdp,
  clsactDevices,
  networkDevices,
  removeEmptyClsact,
  removeTcFilter,
  tcFilters,
  xdpPrograms,
} from '../../../src/index.ts'
import { loadProgram, runs } from '../program.ts'

const sys = nativeSys()
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
const ip = (text: string): void => void execFileSync('ip', text.split(' '), { stdio: 'pipe' })
ip('link set lo up')
ip('link add left type veth peer name right')

/** The running kernel as if it had no links. */
const withoutLinks = {
  ...sys,
  bpf: (...[cmd, ...rest]: Parameters<typeof sys.bpf>) =>
    cmd === commands.value('link_create') ? -errnos.value('EINVAL') : sys.bpf(cmd, ...rest),
}

/** A packet over the loopback device, and back. */
async function packet(): Promise<void> {
  const server = createSocket('udp4')
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const client = createSocket('udp4')
  const got = once(server, 'message')
  client.send('x', server.address().port, '127.0.0.1')
  await got
  client.close()
  server.close()
}

/** A connection over the loopback device. */
async function connection(): Promise<void> {
  const server = createServer((socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  socket.resume()
  await once(socket, 'close')
  server.close()
}

function code(attempt: () => unknown): string {
  try {
    attempt()
    return 'nothing'
  } catch (error) {
    return isTsbpfError(error) ? `${error.code}: ${error.message}` : String(error)
  }
}

const xdp = { type: 'xdp', attachType: 'xdp', returns: 2 } as const // XDP_PASS
const told: Record<string, unknown> = {}
told['xdp'] = await runs(sys, xdp, (program) => attachXdp(sys, program, 'lo', { mode: 'skb' }), packet)
told['xdp over netlink'] = await runs(
  sys,
  xdp,
  (program) => attachXdp(sys, program, 'lo', { mode: 'skb', netlink: true }),
  packet,
)
told['xdp without links'] = await runs(
  withoutLinks,
  xdp,
  (program) => attachXdp(withoutLinks, program, 'lo'),
  packet,
)
for (const attachType of ['tcx_ingress', 'tcx_egress'] as const) {
  told[attachType] = await runs(
    sys,
    { type: 'sched_cls', attachType },
    (program) => attachTcx(sys, program, attachType, 'lo'),
    packet,
  )
}
for (const direction of ['ingress', 'egress'] as const) {
  told[`tc ${direction}`] = await runs(
    sys,
    { type: 'sched_cls' },
    (program) => attachTc(sys, program, 'lo', { direction }),
    packet,
  )
}
told['qdisc after tc'] = execFileSync('tc', ['qdisc', 'show', 'dev', 'lo'], { encoding: 'utf8' }).includes(
  'clsact',
)
told['netfilter'] = await runs(
  sys,
  { type: 'netfilter', attachType: 'netfilter', returns: 1 }, // NF_ACCEPT
  (program) => attachNetfilter(sys, program, 'ipv4/local_in', { priority: -128 }),
  packet,
)
told['sk_lookup'] = await runs(
  sys,
  { type: 'sk_lookup', attachType: 'sk_lookup', returns: 1 }, // SK_PASS
  (program) => attachNetns(sys, program, 'sk_lookup'),
  connection,
)
// Sockets that share packets by flow make the kernel ask of which flow each is.
const [packetFamily, solPacket, packetFanout, everyProtocol] = [17, 263, 18, 0x0300]
const taps = [1, 2].map(() => {
  const tap = sys.socket(packetFamily, 3, everyProtocol)
  sys.setsockopt(tap, solPacket, packetFanout, Uint8Array.of(7, 0, 0, 0))
  return tap
})
told['flow_dissector'] = await runs(
  sys,
  { type: 'flow_dissector', attachType: 'flow_dissector' }, // BPF_OK
  (program) => attachNetns(sys, program, 'flow_dissector'),
  packet,
)
for (const tap of taps) sys.close(tap)

const deviceOf = (wanted: string): number =>
  networkDevices(sys).find(({ name }) => name === wanted)?.ifindex ?? 0

// Order and replacement, as the kernel reports them.
const first = loadProgram(sys, { type: 'sched_cls', attachType: 'tcx_ingress' })
const second = loadProgram(sys, { type: 'sched_cls', attachType: 'tcx_ingress' })
const third = loadProgram(sys, { type: 'sched_cls', attachType: 'tcx_ingress' })
{
  const a = attachTcx(sys, first, 'tcx_ingress', 'lo')
  const b = attachTcx(sys, second, 'tcx_ingress', 'lo', { before: { linkId: a.info().id ?? 0 } })
  const place = { target_ifindex: 1, attach_type: attachTypes.value('tcx_ingress') }
  const { linkIds } = progQuery(sys, place, { links: true })
  told['order'] = linkIds.map((id) => [a, b].findIndex((link) => link.info().id === id))
  const before = a.info().programId
  a.update(third, { expected: first })
  told['updated'] = before !== a.info().programId
  told['not expected'] = code(() => {
    a.update(second, { expected: first })
  })
  a.detach()
  b.detach()
}
{
  const left = attachXdp(sys, loadProgram(sys, xdp), 'left')
  told['taken'] = code(() => attachXdp(sys, loadProgram(sys, xdp), 'left'))
  left.detach()
  told['taken over netlink'] = code(() => {
    const held = attachXdp(sys, loadProgram(sys, xdp), 'right', { netlink: true })
    try {
      attachXdp(sys, loadProgram(sys, xdp), 'right', { netlink: true })
    } finally {
      held.detach()
    }
  })
}
// Filters of clsact: the priority is the order, a replaced program keeps its place, and only what is ours goes.
{
  const [one, two, three] = [1, 2, 3].map(() => loadProgram(sys, { type: 'sched_cls' }))
  assert(one && two && three)
  const id = ({ fd }: { fd: number }): number => progGetInfo(sys, fd).info.id
  const filters = (): number[][] =>
    tcFilters(sys, 1).map(({ priority, programId }) => [
      priority,
      [one, two, three].findIndex((program) => id(program) === programId),
    ])
  const late = attachTc(sys, one, 'lo', { priority: 20 })
  const early = attachTc(sys, two, 'lo', { priority: 10 })
  told['tc order'] = filters()
  early.update(three)
  told['tc replaced'] = filters()
  told['tc taken'] = code(() => attachTc(sys, one, 'lo', { priority: 10 }))
  const [, theirs] = tcFilters(sys, 1)
  if (theirs !== undefined) removeTcFilter(sys, theirs)
  const other = attachTc(sys, two, 'lo', { priority: 20 })
  late.detach()
  early.detach()
  told['tc of others'] = [...filters(), clsactDevices(sys).has(1)]
  other.detach()
  removeEmptyClsact(sys, 1)
  told['tc at the end'] = clsactDevices(sys).has(1)
}
// What somebody else has removed, and whose place another has, is left alone.
{
  const held = attachXdp(sys, loadProgram(sys, xdp), 'right', { netlink: true, mode: 'skb' })
  ip('link set right xdpgeneric off')
  const other = attachXdp(sys, loadProgram(sys, xdp), 'right', { netlink: true, mode: 'skb' })
  held.detach()
  told['xdp of others'] = xdpPrograms(sys, deviceOf('right')).length
  other.detach()
  told['xdp at the end'] = xdpPrograms(sys, deviceOf('right')).length
}
told['no such device'] = code(() => attachXdp(sys, first, 'eth77'))
told['bad hook'] = code(() => attachNetfilter(sys, first, 'ipv4/nowhere'))
{
  const map = {
    fd: mapCreate(sys, { map_type: mapTypes.value('sockmap'), key_size: 4, value_size: 4, max_entries: 2 }),
    name: 'sockets',
  }
  const verdict = loadProgram(sys, { type: 'sk_skb', attachType: 'sk_skb_verdict', returns: 1 })
  const link = attachSockmap(sys, verdict, 'sk_skb_verdict', map)
  told['sockmap'] = link.info().type
  link.detach()
  const old = attachSockmap(withoutLinks, verdict, 'sk_skb_verdict', map)
  told['sockmap without links'] = old.fd === undefined
  old.detach()
}
process.stdout.write(`${JSON.stringify(told)}\n`)
