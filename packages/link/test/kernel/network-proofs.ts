import { once } from 'node:events'
import { mkdirSync, rmdirSync } from 'node:fs'
import { nativeSys } from '@tsbpf/sys/native'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { cgroup2Mount } from '../../src/index.ts'
import type { Proof } from './proof.ts'

let told: Promise<Record<string, string>> | undefined

/** Sections that a child proves in a network namespace and a cgroup of its own: all that this kernel has, at once. */
async function prove(sections: readonly string[]): Promise<Record<string, string>> {
  const cgroup = `${cgroup2Mount(nativeSys()) ?? ''}/tsbpf-sections-${process.pid}`
  mkdirSync(cgroup)
  try {
    const script = new URL('./child/sections.ts', import.meta.url)
    const child = startChild(script, { args: [cgroup, ...sections], within: ['unshare', '--net'] })
    const answer = await firstLine<Record<string, string>>(child)
    if (child.exitCode === null) await once(child, 'close')
    return answer
  } finally {
    rmdirSync(cgroup)
  }
}

const commands = ['unshare', 'ip']
const kinds: readonly Omit<Proof, 'prove'>[] = [
  { sections: ['xdp', 'xdp.frags', 'sk_lookup', 'flow_dissector', 'socket'], needs: { kernel: [5, 18] } },
  { sections: ['tc', 'classifier'], needs: { config: ['NET_CLS_BPF'] } },
  { sections: ['action'], needs: { config: ['NET_ACT_BPF', 'NET_CLS_MATCHALL'] } },
  { sections: ['lwt_in', 'lwt_out', 'lwt_xmit'], needs: { kernel: [4, 10], config: ['LWTUNNEL_BPF'] } },
  { sections: ['lwt_seg6local'], needs: { kernel: [4, 18], config: ['IPV6_SEG6_BPF'] } },
  { sections: ['sk_reuseport', 'sk_reuseport/migrate'], needs: { kernel: [5, 14] } },
  { sections: ['tcx/ingress', 'tcx/egress', 'tc/ingress', 'tc/egress'], needs: { kernel: [6, 6] } },
  { sections: ['netkit/primary', 'netkit/peer'], needs: { kernel: [6, 7], config: ['NETKIT'] } },
  { sections: ['netfilter'], needs: { kernel: [6, 4], config: ['NETFILTER_BPF_LINK'] } },
  {
    sections: ['sk_skb/verdict', 'sk_skb/stream_verdict', 'sk_skb/stream_parser', 'sk_skb', 'sk_msg'],
    needs: { kernel: [5, 13], config: ['BPF_STREAM_PARSER'] },
  },
  { sections: ['lsm_cgroup'], needs: { kernel: [6, 0], config: ['BPF_LSM'] } },
  {
    sections: [
      ...['bind', 'connect', 'sendmsg', 'recvmsg', 'getpeername', 'getsockname', 'post_bind'].flatMap(
        (call) => [`cgroup/${call}4`, `cgroup/${call}6`],
      ),
      ...['sock_create', 'sock', 'sock_release', 'getsockopt', 'setsockopt', 'sysctl', 'dev', 'skb'].map(
        (name) => `cgroup/${name}`,
      ),
      ...['cgroup_skb/ingress', 'cgroup_skb/egress', 'sockops'],
    ],
    needs: { kernel: [5, 9], config: ['CGROUP_BPF'] },
  },
  {
    sections: ['connect', 'sendmsg', 'recvmsg', 'getpeername', 'getsockname'].map(
      (call) => `cgroup/${call}_unix`,
    ),
    needs: { kernel: [6, 7], config: ['CGROUP_BPF'] },
  },
  { sections: ['struct_ops'], needs: { kernel: [6, 4], config: ['TCP_CONG_ADVANCED'] } },
]

/** `isRun` says which of the sections this kernel has; `missing` why it takes no program of a security module. */
export function networkProofs(
  missing: string | false,
  isRun: (proof: Omit<Proof, 'prove'>) => boolean,
): readonly Proof[] {
  const all = kinds.map(({ sections, needs }) => ({
    sections,
    needs: {
      ...needs,
      commands: sections.some((name) => name.endsWith('_unix')) ? [...commands, 'perl'] : commands,
      ...(sections.includes('lsm_cgroup') ? { missing } : {}),
    },
  }))
  return all.map((proof) => ({
    ...proof,
    async prove(section) {
      told ??= prove(all.filter(isRun).flatMap(({ sections }) => sections))
      const answer = (await told)[section]
      if (answer !== 'proven') throw new Error(answer ?? 'the child says nothing about it')
    },
  }))
}
