import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { mapCreate, mapElements } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { linux, mapTypes } from '@tsbpf/uapi'
import type { SectionTest } from '../proof.ts'
import { connection, datagram } from './events.ts'

type Prove = (test: SectionTest) => Promise<void>
type Make = (prove: Prove) => Promise<void>

const sys = nativeSys()
const ip = (text: string): string => execFileSync('ip', text.split(' '), { encoding: 'utf8' })

/** `htons(ETH_P_ALL)`. */
const everyProtocol = 0x0300

/** What programs of these types return to let packets and calls pass. */
const pass = { xdp: 2, netfilter: 1, socket: 1, allow: 1, netkit: -1 }

/** Runs for the time of `body` with two sockets that share packets by flow: the kernel then asks of which flow each is. */
async function withFanout(body: () => Promise<void>): Promise<void> {
  const [solPacket, packetFanout] = [263, 18]
  const taps = [1, 2].map(() => {
    const tap = sys.socket(linux.AF_PACKET, linux.SOCK_RAW, everyProtocol)
    sys.setsockopt(tap, solPacket, packetFanout, Uint8Array.of(7, 0, 0, 0))
    return tap
  })
  try {
    await body()
  } finally {
    for (const tap of taps) sys.close(tap)
  }
}

/** A pair of devices: what leaves by the primary one, or by its peer. */
async function netkit(prove: Prove, section: string): Promise<void> {
  ip('link add kit0 type netkit')
  try {
    const peer = /(\w+)@kit0/.exec(ip('-o link show'))?.[1] ?? 'no peer'
    for (const [device, subnet] of [
      ['kit0', '10.9.0'],
      [peer, '10.9.1'],
    ]) {
      ip(`addr add ${subnet}.1/24 dev ${device}`)
      ip(`link set ${device} up`)
    }
    await prove({
      options: { target: 'kit0' },
      returns: pass.netkit,
      event: async () => {
        const client = createSocket('udp4')
        const address = section === 'netkit/primary' ? '10.9.0.2' : '10.9.1.2'
        await new Promise((resolve) => {
          client.send('x', 9, address, resolve)
        })
        client.close()
      },
      look: (_counter, link) => {
        assert.equal(link.info().type, 'netkit')
      },
    })
  } finally {
    ip('link delete kit0')
  }
}

/** A connection of which one end is in a sockmap while bytes go over it. */
async function sockmap(prove: Prove, end: 'client' | 'server'): Promise<void> {
  const fd = mapCreate(sys, {
    map_type: mapTypes.value('sockmap'),
    key_size: 4,
    value_size: 4,
    max_entries: 1,
  })
  try {
    const fdOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd
    await prove({
      options: { map: { fd, name: 'sockets' } },
      returns: pass.socket,
      event: () =>
        connection(undefined, (client, server) => {
          const elements = mapElements(sys, fd, { keySize: 4, valueSize: 4 })
          new Uint32Array(elements.value.buffer, elements.value.byteOffset)[0] = fdOf(
            end === 'client' ? client : server,
          )
          assert.equal(elements.update(), 0)
        }),
    })
  } finally {
    sys.close(fd)
  }
}

async function socketFilter(prove: Prove): Promise<void> {
  const socket = sys.socket(linux.AF_PACKET, linux.SOCK_RAW, everyProtocol)
  try {
    await prove({ options: { socket }, returns: pass.socket, event: () => datagram() })
  } finally {
    sys.close(socket)
  }
}

/** What the child proves, by section. */
export function networkTests(cgroup: string): ReadonlyMap<string, Make> {
  const lo = { target: 'lo' }
  const packets = (test: Omit<SectionTest, 'event'>): Make => {
    return (prove) => prove({ ...test, event: () => datagram() })
  }
  const inCgroup = (event: SectionTest['event'], options: SectionTest['options'] = {}): Make => {
    return (prove) => prove({ options: { target: cgroup, ...options }, returns: pass.allow, event })
  }
  const sends = inCgroup(() => datagram())
  const xdp = packets({ options: { ...lo, mode: 'skb' }, returns: pass.xdp })
  const calls = ['bind', 'connect', 'sendmsg', 'recvmsg', 'getpeername', 'getsockname', 'post_bind']
  return new Map<string, Make>([
    ['xdp', xdp],
    ['xdp.frags', xdp],
    ['tcx/ingress', packets({ options: lo })],
    ['tcx/egress', packets({ options: lo })],
    ['tc/ingress', packets({ options: lo })],
    ['tc/egress', packets({ options: lo })],
    ['tc', packets({ options: { ...lo, tc: { direction: 'ingress' } } })],
    ['classifier', packets({ options: { ...lo, tc: { direction: 'egress' } } })],
    ['netkit/primary', (prove) => netkit(prove, 'netkit/primary')],
    ['netkit/peer', (prove) => netkit(prove, 'netkit/peer')],
    ['netfilter', packets({ options: { target: 'ipv4/local_in', priority: -128 }, returns: pass.netfilter })],
    [
      'sk_lookup',
      (prove) =>
        prove({ options: { target: '/proc/self/ns/net' }, returns: pass.socket, event: () => connection() }),
    ],
    [
      'flow_dissector',
      (prove) => withFanout(() => packets({ options: { target: '/proc/self/ns/net' } })(prove)),
    ],
    ['socket', socketFilter],
    ['sk_skb/verdict', (prove) => sockmap(prove, 'server')],
    ['sk_skb/stream_verdict', (prove) => sockmap(prove, 'server')],
    ['sk_msg', (prove) => sockmap(prove, 'client')],
    [
      'lsm_cgroup',
      (prove) =>
        prove({
          target: 'socket_post_create',
          loadedFor: 'bpf_lsm_socket_post_create',
          options: { target: cgroup },
          returns: pass.allow,
          event: () => datagram(),
        }),
    ],
    ...calls.flatMap((call) => [
      [`cgroup/${call}4`, sends] as const,
      [`cgroup/${call}6`, inCgroup(() => datagram('udp6'))] as const,
    ]),
    ...['sock_create', 'sock', 'sock_release', 'getsockopt', 'setsockopt'].map(
      (name) => [`cgroup/${name}`, sends] as const,
    ),
    ['cgroup/sysctl', inCgroup(() => readFileSync('/proc/sys/kernel/ostype'))],
    ['cgroup/dev', inCgroup(() => readFileSync('/dev/null'))],
    ['cgroup/connect_unix', inCgroup(() => connection({ path: `/tmp/tsbpf-${process.pid}` }))],
    ['cgroup/skb', inCgroup(() => datagram(), { attachType: 'cgroup_inet_egress' })],
    ['cgroup_skb/ingress', sends],
    ['cgroup_skb/egress', sends],
    ['sockops', inCgroup(() => connection())],
  ])
}
