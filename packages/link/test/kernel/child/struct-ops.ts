import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { btfBuilder } from '@tsbpf/btf'
import { btfLoad, mapCreate, mapElements } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import { attachStructOps } from '../../../src/index.ts'
import { countingProgram } from '../counting.ts'
import type { Counter } from '../counting.ts'
import { kernelType } from '../proof.ts'
import { connection } from './events.ts'

const name = 'tsbpf_test'
const available = '/proc/sys/net/ipv4/tcp_available_congestion_control'
const used = '/proc/sys/net/ipv4/tcp_congestion_control'
/** TCP_CONG_NON_RESTRICTED of include/net/tcp.h: usable in all network namespaces. */
const nonRestricted = 1
/** What a congestion control must have (net/ipv4/bpf_tcp_ca.c, tcp_validate_congestion_control), and what a connection calls. */
const operations = ['ssthresh', 'cong_avoid', 'undo_cwnd', 'cwnd_event']

/** Registers a congestion control whose operations count, uses it, and sees it called; and gone when it is detached. */
export async function proveStructOps(): Promise<void> {
  const sys = nativeSys()
  const ops = kernelType('tcp_congestion_ops')
  const value = kernelType('bpf_struct_ops_tcp_congestion_ops')
  const start = (value.members.find((member) => member.name === 'data')?.offsetBits ?? 0) / 8
  const bytes = new Uint8Array(value.size)
  const counters = new Map<string, Counter>()
  // The kernel wants BTF of the object, although the value is a type of its own.
  const builder = btfBuilder()
  builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
  const { fd: btf } = btfLoad(sys, { btf: builder.build() })
  const map = mapCreate(sys, {
    map_type: mapTypes.value('struct_ops'),
    key_size: 4,
    value_size: value.size,
    max_entries: 1,
    map_flags: mapFlags.value('link'),
    btf_fd: btf,
    btf_vmlinux_value_type_id: value.id,
  })
  sys.close(btf)
  try {
    for (const [index, member] of ops.members.entries()) {
      const at = start + member.offsetBits / 8
      if (member.name === 'name') bytes.set(new TextEncoder().encode(name), at)
      if (member.name === 'flags') bytes[at] = nonRestricted
      if (!operations.includes(member.name)) continue
      // A window of two segments is an answer for all that have one.
      const load = { attach_btf_id: ops.id, expected_attach_type: index }
      const counter = countingProgram(sys, { type: 'struct_ops', returns: 2, load })
      counters.set(member.name, counter)
      new DataView(bytes.buffer).setBigUint64(at, BigInt(counter.program.fd), true)
    }
    const elements = mapElements(sys, map, { keySize: 4, valueSize: value.size })
    elements.value.set(bytes)
    assert.equal(elements.update(), 0, 'the operations are taken')
    const before = readFileSync(used, 'utf8').trim()
    const link = attachStructOps(sys, { fd: map, name })
    try {
      assert.equal(link.info().type, 'struct_ops')
      assert.match(readFileSync(available, 'utf8'), new RegExp(name))
      writeFileSync(used, name)
      await connection()
      const runs = [...counters].map(([operation, counter]) => `${operation} ${counter.runs()}`)
      assert(
        [...counters.values()].some((counter) => counter.runs() > 0),
        `no operation was called: ${runs.join(', ')}`,
      )
    } finally {
      writeFileSync(used, before)
      link.detach()
    }
    assert.doesNotMatch(readFileSync(available, 'utf8'), new RegExp(name))
  } finally {
    for (const counter of counters.values()) counter[Symbol.dispose]()
    sys.close(map)
  }
}
