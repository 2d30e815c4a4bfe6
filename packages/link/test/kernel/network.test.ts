import { once } from 'node:events'
import { requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { describe, expect, it } from 'vitest'
import type { Runs } from './program.ts'

const gate = requires({
  root: true,
  kernel: [6, 10],
  commands: ['unshare', 'ip', 'tc'],
  reason: 'attaches programs to devices of its own network namespace',
})

describe.skipIf(gate.skip)(gate.title('network kinds'), () => {
  it('run while they are attached, and not after', async () => {
    const child = startChild(new URL('./child/network.ts', import.meta.url), { within: ['unshare', '--net'] })
    const told = await firstLine<Record<string, unknown>>(child)
    if (child.exitCode === null) await once(child, 'close')
    expect(child.exitCode).toBe(0)
    for (const kind of [
      'xdp',
      'xdp over netlink',
      'xdp without links',
      'tcx_ingress',
      'tcx_egress',
      'tc ingress',
      'tc egress',
      'netfilter',
      'sk_lookup',
      'flow_dissector',
    ]) {
      const { attached, after } = told[kind] as Runs
      expect(attached, kind).toBeGreaterThan(0)
      expect(after, kind).toBe(0)
    }
    expect(told).toMatchObject({
      'qdisc after tc': false,
      order: [1, 0],
      updated: true,
      'tc order': [
        [10, 1],
        [20, 0],
      ],
      'tc replaced': [
        [10, 2],
        [20, 0],
      ],
      'tc of others': [[20, 1], true],
      'tc at the end': false,
      'xdp of others': 1,
      'xdp at the end': 0,
      sockmap: 'sockmap',
      'sockmap without links': true,
    })
    expect(told['not expected']).toMatch(/^LINK_CHANGED: /)
    expect(told['tc taken']).toMatch(/^LINK_NETLINK: .*RTM_NEWTFILTER bpf failed with EEXIST/)
    expect(told['taken']).toMatch(/^LINK_REFUSED: .*EBUSY/)
    expect(told['taken over netlink']).toMatch(
      /^LINK_NETLINK: .*RTM_SETLINK IFLA_XDP failed with EBUSY: XDP program already attached/,
    )
    expect(told['no such device']).toMatch(/^LINK_UNKNOWN_DEVICE: /)
    expect(told['bad hook']).toMatch(/^LINK_BAD_TARGET: .*local_out/)
  })
})
