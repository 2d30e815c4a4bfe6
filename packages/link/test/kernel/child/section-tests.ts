import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { mapCreate, mapElements } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { linux, mapTypes } from '@tsbpf/uapi'
import { attachSockmap } from '../../../src/index.ts'
import { loadProgram } from '../program.ts'
import type { SectionTest } from '../proof.ts'
import { connection, datagram, sent } from './events.ts'

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
      event: () => send('udp4', section === 'netkit/primary' ? '10.9.0.2' : '10.9.1.2'),
      look: (_counter, link) => {
        assert.equal(link.info().type, 'netkit')
      },
    })
  } finally {
    ip('link delete kit0')
  }
}

function sockmapOfOne(): number {
  return mapCreate(sys, { map_type: mapTypes.value('sockmap'), key_size: 4, value_size: 4, max_entries: 1 })
}

/** A connection of which one end is in a sockmap while bytes go over it. */
async function sockmap(
  prove: Prove,
  end: 'client' | 'server',
  test: Partial<SectionTest> = {},
): Promise<void> {
  const fd = sockmapOfOne()
  try {
    const fdOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd
    await prove({
      returns: pass.socket,
      ...test,
      options: { map: { fd, name: 'sockets' }, ...test.options },
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

/** Where messages end is only asked for where something takes them: a program that lets them pass. */
async function streamParser(prove: Prove): Promise<void> {
  const verdict = loadProgram(sys, {
    type: 'sk_skb',
    attachType: 'sk_skb_stream_verdict',
    returns: pass.socket,
  })
  try {
    await sockmap(
      async (test) => {
        const { map } = test.options ?? {}
        assert(map !== undefined)
        const other = attachSockmap(sys, verdict, 'sk_skb_stream_verdict', map)
        await prove(test).finally(() => {
          other.detach()
        })
      },
      'server',
      { returns: sent.length },
    )
  } finally {
    sys.close(verdict.fd)
  }
}

/** A socket that listens, alone in its group. */
async function reuseport(prove: Prove): Promise<void> {
  const socket = sys.socket(linux.AF_INET, linux.SOCK_STREAM, 0)
  sys.setsockopt(socket, linux.SOL_SOCKET, linux.SO_REUSEPORT, Uint8Array.of(1, 0, 0, 0))
  const server = createServer((one) => one.end())
  server.listen({ fd: socket })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    await prove({
      options: { socket },
      returns: pass.socket,
      event: async () => {
        const accepted = once(server, 'connection') as Promise<[Socket]>
        const client = connect(port, '127.0.0.1')
        client.resume()
        const [one] = await accepted
        await Promise.all([once(client, 'close'), once(one, 'close')])
      },
    })
  } finally {
    // The server closes the descriptor; the door only has to know.
    server.close()
    sys.close(socket)
  }
}

/** Datagrams between UNIX sockets, and what can be asked of these: Node has none. */
const unixSockets = `
use Socket;
my ($a, $b) = map { pack_sockaddr_un("/tmp/tsbpf-$$-$_") } 1, 2;
socket(my $x, AF_UNIX, SOCK_DGRAM, 0); bind($x, $a);
socket(my $y, AF_UNIX, SOCK_DGRAM, 0); bind($y, $b);
send($x, 'x', 0, $b); recv($y, my $got, 9, 0);
getsockname($y); connect($y, $a); getpeername($y);
unlink map { "/tmp/tsbpf-$$-$_" } 1, 2;
`

/** A packet through a segment of IPv6 of our own: a route puts it into the header of packets to a prefix. */
async function segment(prove: Prove): Promise<void> {
  ip('link add seg0 type veth peer name seg1 address 02:00:00:00:00:02')
  try {
    ip('-6 addr add fc00:3::1/64 dev seg0 nodad')
    for (const device of ['seg0', 'seg1']) ip(`link set ${device} up`)
    ip('-6 neigh add fc00:1::1 lladdr 02:00:00:00:00:02 dev seg0 nud permanent')
    ip('-6 route add fc00:2::/64 encap seg6 mode inline segs fc00:1::1 dev seg0')
    await prove({
      options: { target: 'fc00:1::1/128 dev seg0' },
      returns: 2, // BPF_DROP: there is nobody behind it
      event: async () => {
        await send('udp6', 'fc00:2::1')
        await sleep(20)
      },
    })
  } finally {
    ip('link delete seg0')
  }
}

/** Sends a datagram that nobody answers. */
async function send(type: 'udp4' | 'udp6', address: string): Promise<void> {
  const client = createSocket(type)
  await new Promise((resolve) => {
    client.send('x', 9, address, resolve)
  })
  client.close()
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
    ['action', packets({ options: lo })],
    ...['lwt_in', 'lwt_out', 'lwt_xmit'].map(
      (name) =>
        [
          name,
          (prove: Prove) =>
            prove({ options: { target: '10.77.0.0/24 dev lo' }, event: () => send('udp4', '10.77.0.1') }),
        ] as const,
    ),
    ['lwt_seg6local', segment],
    ['sk_reuseport', reuseport],
    ['sk_reuseport/migrate', reuseport],
    ['sk_skb/verdict', (prove) => sockmap(prove, 'server')],
    ['sk_skb', (prove) => sockmap(prove, 'server', { options: { attachType: 'sk_skb_verdict' } })],
    ['sk_skb/stream_parser', streamParser],
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
    ...['sendmsg', 'recvmsg', 'getpeername', 'getsockname'].map(
      (call) => [`cgroup/${call}_unix`, inCgroup(() => execFileSync('perl', ['-e', unixSockets]))] as const,
    ),
    ['cgroup/skb', inCgroup(() => datagram(), { attachType: 'cgroup_inet_egress' })],
    ['cgroup_skb/ingress', sends],
    ['cgroup_skb/egress', sends],
    ['sockops', inCgroup(() => connection())],
  ])
}
