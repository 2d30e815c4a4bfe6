import {
  mkdirSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  closeSync,
  constants,
  writeFileSync,
  rmSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { btfBuilder, parseBtf } from '@tsbpf/btf'
import { btfLoad, checked, Fd, mapFile, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { attachTypes, mapFlags, mapTypes, progAttachAttr, commands } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createMap,
  indexCodec,
  ipv4PrefixCodec,
  ipv6PrefixCodec,
  mapOperations,
  objectCodec,
  possibleCpus,
} from '../../src/index.ts'
import type { BpfMap, HasFd } from '../../src/index.ts'
import { call, exit, loadProgram, mapFd, mov, returnZero } from '../support/programs.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

const gate = requires({ root: true, kernel: [6, 9], reason: 'creates maps of every type' })
const noPrealloc = mapFlags.value('no_prealloc')
/** What a map of objects takes and gives. */
type ObjectValue = number | bigint | HasFd

describe.skipIf(gate.skip)(gate.title('map types'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  const covered = new Set<string>()
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })
  /** A test of one type, which then counts as covered. */
  const type = (name: MapTypeName, test: () => void | Promise<void>): void => {
    covered.add(name)
    it(name, test)
  }
  const unsupported = expect.objectContaining({ code: 'MAP_UNSUPPORTED_OPERATION' }) as Error

  const slots = (name: MapTypeName, over = {}): BpfMap<number, ObjectValue> =>
    createMap<number, ObjectValue>(sys, shape(name, { valueSize: 4, maxEntries: 4, ...over }), {
      codecs: { key: u32, value: objectCodec(4) },
    })

  for (const name of ['hash', 'lru_hash', 'percpu_hash', 'lru_percpu_hash'] as const) {
    type(name, () => {
      const perCpu = name.includes('percpu')
      const cpus = possibleCpus(sys)
      const value = (n: number): unknown =>
        perCpu ? Array.from({ length: cpus }, () => BigInt(n)) : BigInt(n)
      using map = createMap<number, unknown>(sys, shape(name), { codecs: { key: u32, value: u64 } })
      map.set(1, value(1)).set(2, value(2))
      expect(map.get(1)).toEqual(value(1))
      expect(map.lookupAndDelete(1)).toEqual(value(1))
      expect(map.lookupAndDelete(1)).toBeUndefined()
      expect([...map]).toEqual([[2, value(2)]])
      expect(map.setMany([3, 4, 5].map((n) => [n, value(n)]))).toBe(3)
      expect(map.getMany([3, 9, 5])).toEqual([value(3), undefined, value(5)])
      expect(map.deleteMany([9, 3, 8, 2, 7])).toBe(2)
      expect(new Map(map.lookupAndDeleteMany())).toEqual(new Map([4, 5].map((n) => [n, value(n)])))
      expect(map.count()).toBe(0)
      expect(() => map.push(value(1))).toThrow(unsupported)
    })
  }

  for (const name of ['array', 'percpu_array'] as const) {
    type(name, () => {
      const cpus = possibleCpus(sys)
      const value = (n: bigint): unknown => (name === 'array' ? n : Array.from({ length: cpus }, () => n))
      using map = createMap<number, unknown>(sys, shape(name, { maxEntries: 3 }), {
        codecs: { key: u32, value: u64 },
      })
      expect(map.setMany([0, 2].map((n) => [n, value(7n)]))).toBe(2)
      expect([...map]).toEqual([
        [0, value(7n)],
        [1, value(0n)],
        [2, value(7n)],
      ])
      expect(map.getMany([2, 3])).toEqual([value(7n), undefined])
      expect(() => map.deleteMany([1])).toThrow(unsupported)
      expect(() => map.lookupAndDelete(1)).toThrow(unsupported)
    })
  }

  type('lpm_trie', () => {
    const over = { keySize: 8, valueSize: 4, flags: noPrealloc }
    using map = createMap<string, number>(sys, shape('lpm_trie', over), {
      codecs: { key: ipv4PrefixCodec, value: u32 },
    })
    map.set('10.0.0.0/8', 8)
    expect(
      map.setMany([
        ['10.1.0.0/16', 16],
        ['0.0.0.0/0', 0],
      ]),
    ).toBe(2)
    expect(map.getMany(['10.1.2.3', '10.9.9.9', '192.0.2.1'])).toEqual([16, 8, 0])
    expect(map.toMap()).toEqual(
      new Map([
        ['10.1.0.0/16', 16],
        ['10.0.0.0/8', 8],
        ['0.0.0.0/0', 0],
      ]),
    )
    expect(map.delete('10.1.0.0/16')).toBe(true)
    expect(map.get('10.1.2.3')).toBe(8)
    expect(map.lookupAndDeleteMany().length).toBe(2)
    expect(map.deleteMany(['10.0.0.0/8'])).toBe(0)
    using six = createMap<string, number>(sys, shape('lpm_trie', { ...over, keySize: 20 }), {
      codecs: { key: ipv6PrefixCodec, value: u32 },
    })
    six.set('2001:db8::/32', 32).set('2001:db8:1::/48', 48)
    expect([six.get('2001:db8::1'), six.get('2001:db8:1::1'), six.get('::1')]).toEqual([32, 48, undefined])
    expect([...six.keys()].sort()).toEqual(['2001:db8:1::/48', '2001:db8::/32'])
  })

  type('prog_array', () => {
    using map = slots('prog_array')
    using prog = new Fd(sys, loadProgram(sys, 'socket_filter', returnZero), 'program')
    map.set(1, prog.value).set(2, { fd: prog.value })
    const id = map.get(1)
    expect(id).toBeGreaterThan(0)
    expect([...map]).toEqual([
      [1, id],
      [2, id],
    ])
    expect([map.delete(1), map.delete(1), map.has(1), map.count()]).toEqual([true, false, false, 1])
    expect(() => map.set(0, -1)).toThrow(expect.objectContaining({ code: 'MAP_VALUE' }))
    map.delete(2)
  })

  type('perf_event_array', () => {
    using map = slots('perf_event_array')
    const attr = new Uint8Array(128)
    new DataView(attr.buffer).setUint32(0, 1, true)
    new DataView(attr.buffer).setUint32(4, 128, true)
    new DataView(attr.buffer).setBigUint64(8, 10n, true)
    using event = new Fd(sys, checked(sys.perfEventOpen(attr, -1, 0, -1, 0), 'perf_event_open'), 'event')
    map.set(0, event.value)
    expect(() => map.get(0)).toThrow(unsupported)
    expect(() => [...map]).toThrow(unsupported)
    expect([map.delete(0), map.delete(0)]).toEqual([true, false])
  })

  type('stack_trace', () => {
    const over = { valueSize: 127 * 8, maxEntries: 64 }
    using map = createMap<number>(sys, shape('stack_trace', over), {
      codecs: { key: indexCodec },
    })
    const code = [...mapFd(2, map.fd), ...mov(3, 0), ...call('get_stackid'), ...exit]
    using prog = new Fd(sys, loadProgram(sys, 'raw_tracepoint', code), 'program')
    const { retval } = progTestRun(sys, { prog_fd: prog.value, ctx_in: new Uint8Array(8) })
    expect(map.get(retval)?.length).toBe(127 * 8)
    expect([...map.keys()]).toEqual([retval])
    expect(() => map.set(0, new Uint8Array(127 * 8))).toThrow(unsupported)
    expect([map.delete(retval), map.delete(retval), map.count()]).toEqual([true, false, 0])
  })

  /** A cgroup of this test, without a mount point. */
  const withCgroup = (use: (fd: number, path: string) => void): void => {
    using context = new Fd(sys, checked(sys.fsopen('cgroup2', 0), 'fsopen'), 'cgroup2')
    checked(sys.fsconfig(context.value, 6, undefined, undefined), 'fsconfig')
    using mount = new Fd(sys, checked(sys.fsmount(context.value, 0, 0), 'fsmount'), 'cgroup2')
    const path = `/proc/self/fd/${mount.value}/tsbpf-test-${process.pid}`
    mkdirSync(path)
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
      try {
        use(fd, path)
      } finally {
        closeSync(fd)
      }
    } finally {
      rmdirSync(path)
    }
  }

  type('cgroup_array', () => {
    withCgroup((cgroup) => {
      using map = slots('cgroup_array')
      map.set(3, cgroup)
      expect(() => map.has(3)).toThrow(unsupported)
      expect([map.delete(3), map.delete(3)]).toEqual([true, false])
    })
  })

  for (const name of ['array_of_maps', 'hash_of_maps'] as const) {
    type(name, () => {
      using inner = createMap(sys, shape('array', { maxEntries: 1 }))
      using map = createMap<number, ObjectValue>(sys, shape(name, { valueSize: 4, maxEntries: 4 }), {
        codecs: { key: u32, value: objectCodec(4) },
        innerFd: inner.fd,
      })
      map.set(2, inner)
      const { id } = inner.info()
      expect([map.get(2), map.get(1), [...map]]).toEqual([id, undefined, [[2, id]]])
      expect(map.toMap()).toEqual(new Map([[2, id]]))
      expect(
        map.setMany([
          [0, inner],
          [1, inner],
        ]),
      ).toBe(2)
      expect(map.deleteMany([0, 1])).toBe(2)
      expect([map.delete(2), map.delete(2)]).toEqual([true, false])
    })
  }

  for (const name of ['devmap', 'devmap_hash'] as const) {
    type(name, () => {
      using map = createMap<number, number>(sys, shape(name, { valueSize: 4 }), {
        codecs: { key: u32, value: u32 },
      })
      map.set(5, 1)
      expect([map.get(5), [...map]]).toEqual([1, [[5, 1]]])
      expect(map.delete(5)).toBe(true)
      expect(map.count()).toBe(0)
    })
  }

  type('cpumap', () => {
    using map = createMap<number, number>(sys, shape('cpumap', { valueSize: 4, maxEntries: 8 }), {
      codecs: { key: u32, value: u32 },
    })
    map.set(0, 192)
    expect([map.get(0), map.get(1), [...map]]).toEqual([192, undefined, [[0, 192]]])
    expect([map.delete(0), map.has(0)]).toEqual([true, false])
  })

  type('xskmap', () => {
    using map = slots('xskmap')
    using socket = new Fd(sys, checked(sys.socket(44, 3, 0), 'socket'), 'AF_XDP')
    map.set(0, socket.value)
    expect(() => map.get(0)).toThrow(unsupported)
    expect([map.delete(0)]).toEqual([true])
  })

  /** The descriptor of one end of a TCP connection over loopback. */
  const withConnection = async (use: (fd: number) => void): Promise<void> => {
    const server = createServer()
    const peer = new Promise<Socket>((resolve) => server.once('connection', resolve))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const client = connect(port, '127.0.0.1')
    const other = await peer
    try {
      use((client as unknown as { _handle: HasFd })._handle.fd)
    } finally {
      const closed = [client, other].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
      client.destroy()
      other.destroy()
      await Promise.all(closed)
      await new Promise((resolve) => server.close(resolve))
    }
  }

  for (const name of ['sockmap', 'sockhash'] as const) {
    type(name, async () => {
      await withConnection((fd) => {
        using map = createMap<number, ObjectValue>(sys, shape(name, { maxEntries: 4 }), {
          codecs: { key: u32, value: objectCodec(8) },
        })
        map.set(1, fd)
        const cookie = map.get(1)
        expect(cookie).toBeGreaterThan(0n)
        expect([[...map], map.get(2)]).toEqual([[[1, cookie]], undefined])
        expect(map.delete(1)).toBe(true)
        expect(map.count()).toBe(0)
      })
    })
  }

  type('reuseport_sockarray', async () => {
    using map = createMap<number, ObjectValue>(sys, shape('reuseport_sockarray', { maxEntries: 4 }), {
      codecs: { key: u32, value: objectCodec(8) },
    })
    const fd = checked(sys.socket(2, 1, 0), 'socket')
    // SOL_SOCKET: SO_REUSEPORT, and SO_BINDTODEVICE so that only loopback is listened to.
    checked(sys.setsockopt(fd, 1, 15, Uint8Array.of(1, 0, 0, 0)), 'setsockopt')
    checked(sys.setsockopt(fd, 1, 25, new TextEncoder().encode('lo\0')), 'setsockopt')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen({ fd }, resolve))
    map.set(2, fd)
    const cookie = map.get(2)
    expect(cookie).toBeGreaterThan(0n)
    expect([...map]).toEqual([[2, cookie]])
    expect([map.delete(2), map.delete(2)]).toEqual([true, false])
    await new Promise((resolve) => server.close(resolve))
    // The server has closed it: the door only forgets its number.
    sys.close(fd)
  })

  for (const name of ['cgroup_storage', 'percpu_cgroup_storage'] as const) {
    type(name, () => {
      const cpus = possibleCpus(sys)
      const value = (n: bigint): unknown =>
        name === 'cgroup_storage' ? n : Array.from({ length: cpus }, () => n)
      withCgroup((cgroup) => {
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

  for (const name of ['queue', 'stack'] as const) {
    type(name, () => {
      using map = createMap<never, bigint>(sys, shape(name, { keySize: 0, maxEntries: 3 }), {
        codecs: { value: u64 },
      })
      expect([map.pop(), map.peek()]).toEqual([undefined, undefined])
      map.push(1n).push(2n).push(3n)
      expect(() => map.push(4n)).toThrow(
        expect.objectContaining({
          code: 'MAP_FULL',
          message: `map test_${name} is full: it has at most 3 entries`,
        }),
      )
      map.push(4n, { overwrite: true })
      expect(map.peek()).toBe(name === 'queue' ? 2n : 4n)
      const rest = [map.pop(), map.pop(), map.pop(), map.pop()]
      expect(rest).toEqual(name === 'queue' ? [2n, 3n, 4n, undefined] : [4n, 3n, 2n, undefined])
      for (const use of [() => map.get(undefined as never), () => [...map], () => map.hasValue(1n)]) {
        expect(use).toThrow(unsupported)
      }
    })
  }

  type('bloom_filter', () => {
    using map = createMap<never, bigint>(sys, shape('bloom_filter', { keySize: 0 }), {
      codecs: { value: u64 },
      extra: 3n,
    })
    map.push(1n).push(2n)
    expect([map.hasValue(1n), map.hasValue(2n)]).toEqual([true, true])
    const wrong = Array.from({ length: 100 }, (_, i) => map.hasValue(BigInt(i + 1000))).filter(Boolean)
    expect(wrong.length).toBeLessThan(50)
    expect(() => map.pop()).toThrow(unsupported)
    expect(() => map.peek()).toThrow(unsupported)
  })

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
      shape(name, { valueSize: 4, maxEntries: 0, flags: noPrealloc }),
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
    withCgroup((cgroup) => withStorage('cgrp_storage', (map) => usesStorage(map, cgroup)))
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

  for (const name of ['ringbuf', 'user_ringbuf'] as const) {
    type(name, () => {
      using map = createMap(sys, shape(name, { keySize: 0, valueSize: 0, maxEntries: 4096 }))
      for (const use of [() => map.get(new Uint8Array(0)), () => map.pop(), () => [...map]]) {
        expect(use).toThrow(unsupported)
      }
    })
  }

  type('arena', () => {
    const flags = mapFlags.value('mmapable')
    using map = createMap(sys, shape('arena', { keySize: 0, valueSize: 0, maxEntries: 4, flags }))
    using memory = map.memory()
    expect(memory.bytes.length).toBe(4 * memory.stride)
    memory.bytes.set([1, 2, 3], memory.stride * 3)
    expect([...memory.bytes.subarray(memory.stride * 3, memory.stride * 3 + 4)]).toEqual([1, 2, 3, 0])
    expect(() => memory.get(0)).toThrow(unsupported)
  })

  for (const name of ['insn_array', 'rhash'] as const) {
    type(name, () => {
      // Newer than the kernels there are: where one has it, this test must be written.
      expect(() => createMap(sys, shape(name))).toThrow(expect.objectContaining({ code: 'MAP_CREATE' }))
    })
  }

  it('are all here, and all in the table', () => {
    const names = new Map(mapTypes.rows.map(({ name, value }) => [value, name.replace('_deprecated', '')]))
    names.delete(0)
    expect([...covered].sort()).toEqual([...names.values()].sort())
    expect([...mapOperations.keys()].sort()).toEqual([...covered].sort())
  })
})
