import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { checked, Fd, progTestRun } from '@tsbpf/sys'
import { expect } from 'vitest'
import { createMap, indexCodec, objectCodec } from '../../src/index.ts'
import type { HasFd } from '../../src/index.ts'
import { withCgroup } from '../support/cgroup.ts'
import { describeFamily, unsupported } from '../support/families.ts'
import type { ObjectValue } from '../support/families.ts'
import { call, exit, loadProgram, mapFd, mov, returnZero } from '../support/programs.ts'
import { shape, u32 } from '../support/shapes.ts'

describeFamily('objects', ({ sys, type, slots }) => {
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

  type('cgroup_array', () => {
    withCgroup(sys, (cgroup) => {
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
})
