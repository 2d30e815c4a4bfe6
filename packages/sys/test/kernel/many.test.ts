import { linux, mapTypes, progTypes } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checked, failure, Fd, mapCreate, mapVector, progLoad, progTestRun } from '../../src/index.ts'
import type { Sys, Watch } from '../../src/index.ts'
import { nativeSys } from '../../src/native/index.ts'
import { ringbufOutput } from '../support/programs.ts'

const gate = requires({ root: true, kernel: [5, 8], reason: 'bpf(2)' })

/** The same door without memory of its own for calls. */
function unprepared(): Sys {
  return { ...nativeSys(), prepareBpf: () => undefined }
}

describe.skipIf(gate.skip)(gate.title('many at once'), () => {
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    nativeSys()
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  for (const [name, door] of [
    ['in one crossing', nativeSys],
    ['in a loop', unprepared],
  ] as const) {
    it(`works on elements ${name}`, () => {
      const sys = door()
      const sizes = { map_type: mapTypes.value('hash'), key_size: 4, value_size: 8, max_entries: 8 }
      using map = new Fd(sys, mapCreate(sys, sizes), 'map')
      const vector = mapVector(sys, map.value, { keySize: 4, valueSize: 8, capacity: 16 })
      const keys = new Uint32Array(vector.keys.buffer, vector.keys.byteOffset, 17)
      const values = new BigUint64Array(vector.values.buffer, vector.values.byteOffset, 16)
      for (let i = 0; i < 10; i++) [keys[i], values[i]] = [i, BigInt(i * i)]
      // The ninth does not fit, and ends it.
      expect(vector.update(10)).toBe(9)
      expect([...vector.results.subarray(0, 9)]).toEqual([...Array<number>(8).fill(0), failure('E2BIG')])
      values.fill(0n)
      vector.lookup(10)
      expect([...vector.results.subarray(7, 10)]).toEqual([0, failure('ENOENT'), failure('ENOENT')])
      expect([...values.subarray(0, 9)]).toEqual([0n, 1n, 4n, 9n, 16n, 25n, 36n, 49n, 0n])
      const [first] = keys
      keys[0] = first!
      const found = vector.getNextKeys(16)
      expect(found).toBeLessThan(8)
      expect(new Set([...keys.subarray(0, found + 1)]).size).toBe(found + 1)
      for (let i = 0; i < 3; i++) keys[i] = 5 + i
      expect(vector.lookupAndDelete(2)).toBe(2)
      vector.delete(3)
      expect([...vector.results.subarray(0, 3)]).toEqual([failure('ENOENT'), failure('ENOENT'), 0])
      expect(() =>
        mapVector(sys, map.value, { keySize: 4, valueSize: 8, capacity: 2 }).lookup(3),
      ).not.toThrow()
    })
  }

  it('tells of many descriptors by one, once for each that became ready', async () => {
    const sys = nativeSys()
    using epoll = new Fd(sys, checked(sys.epollCreate(), 'epoll_create1'), 'epoll')
    const size = { map_type: mapTypes.value('ringbuf'), max_entries: 4096 }
    using one = new Fd(sys, mapCreate(sys, size), 'ring')
    using two = new Fd(sys, mapCreate(sys, size), 'ring')
    const edge = linux.EPOLLIN | linux.EPOLLET
    for (const [data, ring] of [one, two].entries()) {
      expect(sys.epollControl(epoll.value, linux.EPOLL_CTL_ADD, ring.value, edge >>> 0, data)).toBe(0)
    }
    expect(sys.epollControl(epoll.value, linux.EPOLL_CTL_ADD, one.value, edge >>> 0, 0)).toBe(
      failure('EEXIST'),
    )
    const ready = new Uint8Array(64)
    expect(sys.epollReady(epoll.value, ready)).toBe(0)
    const output = (ring: Fd): void => {
      const insns = ringbufOutput(ring.value, 7)
      const { fd } = progLoad(sys, { prog_type: progTypes.value('socket_filter'), insns, license: 'GPL' })
      using prog = new Fd(sys, fd, 'program')
      expect(progTestRun(sys, { prog_fd: prog.value, data_in: new Uint8Array(14) }).retval).toBe(0)
    }
    const woken = new Promise<Watch | number>((resolve) => {
      const watch = sys.watch(epoll.value, () => resolve(watch))
    })
    output(two)
    const watch = await woken
    expect(sys.epollReady(epoll.value, ready)).toBe(1)
    expect([...new Uint32Array(ready.buffer, 0, 2)]).toEqual([linux.EPOLLIN, 1])
    // Nobody read: the edge does not come again.
    expect(sys.epollReady(epoll.value, ready)).toBe(0)
    output(one)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(sys.epollReady(epoll.value, ready)).toBe(1)
    if (typeof watch !== 'number') watch.stop()
  })
})
