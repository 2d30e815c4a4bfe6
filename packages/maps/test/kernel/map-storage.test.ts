import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { btfBuilder, parseBtf } from '@tsbpf/btf'
import { btfLoad, checked, Fd, mapFile } from '@tsbpf/sys'
import { attachTypes, commands, mapFlags, progAttachAttr } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import { expect } from 'vitest'
import { createMap, indexCodec, possibleCpus } from '../../src/index.ts'
import type { BpfMap } from '../../src/index.ts'
import { withCgroup } from '../support/cgroup.ts'
import { describeFamily, unsupported } from '../support/families.ts'
import { call, exit, loadProgram, mapFd, mov, returnZero } from '../support/programs.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

describeFamily('storage', ({ sys, type }) => {
  for (const name of ['cgroup_storage', 'percpu_cgroup_storage'] as const) {
    type(name, () => {
      const cpus = possibleCpus(sys)
      const value = (n: bigint): unknown =>
        name === 'cgroup_storage' ? n : Array.from({ length: cpus }, () => n)
      withCgroup(sys, (cgroup) => {
        using map = createMap<Uint8Array, unknown>(sys, shape(name, { keySize: 16, maxEntries: 0 }), {
          codecs: { value: u64 },
        })
        expect(map.count()).toBe(0)
        const code = [...mapFd(1, map.fd), ...mov(2, 0), ...call('get_local_storage'), ...mov(0, 1), ...exit]
        const attach_type = attachTypes.value('cgroup_inet_egress')
        const expected = { expected_attach_type: attach_type }
        using prog = new Fd(sys, loadProgram(sys, 'cgroup_skb', code, expected), 'program')
        const target = { target_fd: cgroup, attach_bpf_fd: prog.value, attach_type }
        const attr = progAttachAttr.encode(target, true)
        checked(sys.bpf(commands.value('prog_attach'), attr), 'bpf', 'prog_attach')
        try {
          const [key] = map.keys()
          map.set(key!, value(9n))
          expect([...map]).toEqual([[key, value(9n)]])
          expect(() => map.delete(key!)).toThrow(unsupported)
        } finally {
          checked(
            sys.bpf(commands.value('prog_detach'), progAttachAttr.encode(target, true)),
            'bpf',
            'prog_detach',
          )
        }
      })
    })
  }

  /** Local storage wants to know its types: an int for the descriptor, an int for the value. */
  const intBtf = (): { readonly btf: Fd; readonly int: number } => {
    const builder = btfBuilder()
    const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
    return { btf: new Fd(sys, btfLoad(sys, { btf: builder.build() }).fd, 'BTF'), int }
  }
  const withStorage = (name: MapTypeName, use: (map: BpfMap<number, number>) => void): void => {
    const made = intBtf()
    using btf = made.btf
    const { int } = made
    using map = createMap<number, number>(
      sys,
      shape(name, { valueSize: 4, maxEntries: 0, flags: mapFlags.value('no_prealloc') }),
      { codecs: { key: u32, value: u32 }, btf: { fd: btf.value, keyType: int, valueType: int } },
    )
    use(map)
  }
  const usesStorage = (map: BpfMap<number, number>, fd: number): void => {
    expect(map.get(fd)).toBeUndefined()
    map.set(fd, 42, { flags: 'noexist' })
    expect([map.get(fd), map.has(fd)]).toEqual([42, true])
    expect(() => map.set(fd, 1, { flags: 'noexist' })).toThrow(
      expect.objectContaining({ code: 'MAP_ENTRY_EXISTS' }),
    )
    expect(() => [...map]).toThrow(unsupported)
    expect([map.delete(fd), map.delete(fd)]).toEqual([true, false])
  }

  type('sk_storage', () => {
    withStorage('sk_storage', (map) => {
      using socket = new Fd(sys, checked(sys.socket(2, 2, 0), 'socket'), 'socket')
      usesStorage(map, socket.value)
    })
  })
  type('inode_storage', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-maps-'))
    writeFileSync(join(folder, 'file'), '')
    const fd = openSync(join(folder, 'file'), 'r')
    try {
      withStorage('inode_storage', (map) => usesStorage(map, fd))
    } finally {
      closeSync(fd)
      rmSync(folder, { recursive: true })
    }
  })
  type('task_storage', () => {
    withStorage('task_storage', (map) => {
      using task = new Fd(sys, checked(sys.pidfdOpen(process.pid, 0), 'pidfd_open'), 'pidfd')
      usesStorage(map, task.value)
    })
  })
  type('cgrp_storage', () => {
    withCgroup(sys, (cgroup) => withStorage('cgrp_storage', (map) => usesStorage(map, cgroup)))
  })

  type('struct_ops', () => {
    using vmlinux = mapFile(sys, '/sys/kernel/btf/vmlinux')
    const btf = parseBtf(vmlinux.bytes)
    const [ops] = btf.idsByName('tcp_congestion_ops', 'struct')
    const [wrapper] = btf.idsByName('bpf_struct_ops_tcp_congestion_ops', 'struct')
    const opsType = btf.type(ops!)
    const wrapperType = btf.type(wrapper!)
    if (opsType.kind !== 'struct' || wrapperType.kind !== 'struct') throw new Error('not a struct')
    const data = wrapperType.members.find(({ name }) => name === 'data')!.offsetBits / 8
    const at = (name: string): number =>
      data + opsType.members.find((member) => member.name === name)!.offsetBits / 8
    const index = (name: string): number => opsType.members.findIndex((member) => member.name === name)
    using ints = intBtf().btf
    using map = createMap<number>(sys, shape('struct_ops', { valueSize: wrapperType.size, maxEntries: 1 }), {
      codecs: { key: indexCodec },
      kernelValueType: wrapper!,
      btf: { fd: ints.value, keyType: 0, valueType: 0 },
    })
    expect(map.get(0)).toEqual(new Uint8Array(wrapperType.size))
    const value = new Uint8Array(wrapperType.size)
    const programs = ['ssthresh', 'undo_cwnd', 'cong_avoid'].map((name) => {
      const fd = loadProgram(sys, 'struct_ops', returnZero, {
        attach_btf_id: ops!,
        expected_attach_type: index(name),
        prog_name: name,
      })
      new DataView(value.buffer).setUint32(at(name), fd, true)
      return new Fd(sys, fd, name)
    })
    value.set(new TextEncoder().encode('tsbpf_test'), at('name'))
    map.set(0, value)
    const state = new DataView(map.get(0)!.buffer).getUint32(4, true)
    expect(state).toBe(1) // BPF_STRUCT_OPS_STATE_INUSE
    expect(() => [...map]).toThrow(unsupported)
    expect(map.delete(0)).toBe(true)
    for (const program of programs) program.dispose()
  })
})
