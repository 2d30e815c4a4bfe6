import { Fd, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { mapFlags, ringbufFlags } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMap, openRingBuffer } from '../../src/index.ts'
import type { RingRecord } from '../../src/index.ts'
import { loadProgram, reserveAndSubmit } from '../support/programs.ts'
import { Checker, Producer } from '../support/ring.ts'
import { shape } from '../support/shapes.ts'

const gate = requires({ root: true, kernel: [5, 8], reason: 'ring buffers' })
/** Numbers records as they come; each processor numbers its own, and this process may move between them. */
function arrivals(): (record: RingRecord) => number {
  const next = new Map<number, number>()
  let count = 0
  return (record) => {
    const [seq, cpu] = [record.u64AsNumber(0), record.u64AsNumber(8)]
    if (seq !== (next.get(cpu) ?? 0)) throw new Error(`record ${seq} of processor ${cpu} is out of order`)
    next.set(cpu, seq + 1)
    return count++
  }
}
const turn = (milliseconds = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe.skipIf(gate.skip)(gate.title('ring buffer on the kernel'), () => {
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    nativeSys()
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  for (const readiness of ['uv', 'epoll'] as const) {
    it(`wakes its reader for each record: ${readiness}`, async () => {
      const sys = nativeSys({ readiness })
      using producer = new Producer(sys)
      using ring = openRingBuffer(sys, producer.map, { decode: arrivals() })
      const values = ring.values()
      for (let i = 0; i < 200; i++) {
        const next = values.next()
        if (i % 3 === 0) await turn()
        producer.run()
        expect((await next).value).toBe(i)
      }
      await values.return()
      expect(ring.counters).toMatchObject({ received: 200, discarded: 0 })
    })

    it(`reads many rings by one watch: ${readiness}`, async () => {
      const sys = nativeSys({ readiness })
      const producers = Array.from({ length: 8 }, () => new Producer(sys))
      const seen: string[] = []
      const rings = producers.map((producer, index) => {
        const ring = openRingBuffer(sys, producer.map, { decode: arrivals() })
        ring.listen((seq) => seen.push(`${index}:${seq}`))
        return ring
      })
      for (const index of [5, 0, 5, 7]) producers[index]!.run()
      while (seen.length < 4) await turn()
      expect(seen.sort()).toEqual(['0:0', '5:0', '5:1', '7:0'])
      for (const one of [...rings, ...producers]) one.dispose()
    })
  }

  it('keeps order and contents around the end, and counts what found no room', () => {
    const sys = nativeSys()
    using producer = new Producer(sys)
    using ring = openRingBuffer(sys, producer.map, { dropped: () => producer.totals().dropped })
    const checker = new Checker()
    for (const times of [10, 30, 77, 1, 50, 200]) {
      for (let i = 0; i < 20; i++) {
        producer.run(times)
        ring.consumeRecords(checker.check, i % 2 === 0 ? 13 : Infinity)
      }
    }
    ring.consumeRecords(checker.check)
    const { produced, dropped } = producer.totals()
    expect(dropped).toBeGreaterThan(0)
    expect([checker.received + dropped, ring.counters.dropped]).toEqual([produced, dropped])
    expect(checker.missing).toBeLessThanOrEqual(dropped)
    expect(ring.available).toBe(0)
  })

  it('reads records of more than half the ring', () => {
    const sys = nativeSys()
    using map = createMap(sys, shape('ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }))
    using prog = new Fd(sys, loadProgram(sys, 'xdp', reserveAndSubmit(map.fd, 2600)), 'program')
    using ring = openRingBuffer(sys, map, {
      decode: (record) => [record.size, record.u8(0), record.u8(2599)],
    })
    for (let i = 0; i < 20; i++) {
      const run = (): number => progTestRun(sys, { prog_fd: prog.value, data_in: new Uint8Array(64) }).retval
      // The second finds no room.
      expect([run(), run()]).toEqual([1, 0])
      expect(ring.read()).toEqual([[2600, 0xa5, 0x5a]])
    }
    expect(ring.counters).toMatchObject({ received: 20, bytes: 52_000 })
  })

  it('allocates nothing for a record that is read in place', () => {
    const sys = nativeSys()
    using producer = new Producer(sys, { bytes: 1 << 20 })
    using ring = openRingBuffer(sys, producer.map)
    const records = 12_000
    let sum = 0
    const grown = (): number => {
      producer.run(records)
      const { heapUsed } = process.memoryUsage()
      expect(ring.consumeRecords((record) => (sum = (sum + record.u32(0)) | 0))).toBe(records)
      return process.memoryUsage().heapUsed - heapUsed
    }
    const rounds = Array.from({ length: 9 }, grown)
    // The least of the rounds: compiling and what measures have their part of the others. An object is 16 bytes or more.
    expect(Math.min(...rounds.filter((bytes) => bytes >= 0))).toBeLessThan(records)
  })

  it('consumes what wakes nobody', async () => {
    const sys = nativeSys()
    using producer = new Producer(sys, { flags: ringbufFlags.value('no_wakeup') })
    using ring = openRingBuffer(sys, producer.map, { decode: arrivals() })
    let heard = 0
    using listening = ring.listen(() => heard++)
    await turn(20)
    producer.run(5)
    await turn(20)
    expect(heard).toBe(0)
    expect(ring.read()).toEqual([0, 1, 2, 3, 4])
    listening.stop()
  })

  it('leaves records in the ring while nobody asks for them, and gives them later', async () => {
    const sys = nativeSys()
    using producer = new Producer(sys)
    using ring = openRingBuffer(sys, producer.map, { decode: arrivals() })
    const seen: number[] = []
    using listening = ring.listen((seq) => seen.push(seq))
    listening.pause()
    producer.run(10)
    await turn(20)
    expect(seen).toEqual([])
    expect(ring.available).toBeGreaterThan(0)
    listening.resume()
    while (seen.length < 10) await turn()
    producer.run(1)
    while (seen.length < 11) await turn()
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('costs no processor time while it is idle, paused, or not pulled', async () => {
    const sys = nativeSys({ readiness: 'uv' })
    using idle = new Producer(sys)
    using paused = new Producer(sys)
    using unread = new Producer(sys)
    using idleRing = openRingBuffer(sys, idle.map)
    using pausedRing = openRingBuffer(sys, paused.map)
    using unreadRing = openRingBuffer(sys, unread.map)
    idleRing.listen(() => undefined)
    pausedRing.listen(() => undefined).pause()
    const values = unreadRing.values({ limit: 1 })
    unread.run(3)
    paused.run(3)
    await values.next()
    await turn(50)
    const from = process.cpuUsage()
    await turn(1000)
    const { user, system } = process.cpuUsage(from)
    // A busy wait would be a million microseconds.
    expect(user + system).toBeLessThan(150_000)
  })

  it('lets other work go on while a program is faster', async () => {
    const sys = nativeSys()
    using producer = new Producer(sys, { bytes: 1 << 20 })
    using ring = openRingBuffer(sys, producer.map, { decode: arrivals() })
    let turns = 0
    let done = false
    const count = (): void => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    let received = 0
    producer.run(100)
    for await (const values of ring.batches({ limit: 50 })) {
      received += values.length
      producer.run(50)
      if (received >= 1000) break
    }
    done = true
    expect(turns).toBeGreaterThan(10)
  })

  it('gives way to what its callback throws, and goes on', async () => {
    const sys = nativeSys()
    using producer = new Producer(sys)
    using ring = openRingBuffer(sys, producer.map, { decode: arrivals() })
    const thrown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error.message))
    const seen: number[] = []
    ring.listen((seq) => {
      seen.push(seq)
      if (seq === 1) throw new Error('second')
    })
    producer.run(4)
    for (let i = 0; i < 200 && seen.length < 4; i++) await turn(1)
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
    expect([seen, thrown]).toEqual([[0, 1, 2, 3], ['second']])
  })
})

const overwriting = requires({ root: true, kernel: [6, 19], reason: 'rings that are overwritten' })

describe.skipIf(overwriting.skip)(overwriting.title('ring buffer that programs overwrite'), () => {
  it('gives the newest, whole, and says how much was lost', () => {
    const sys = nativeSys()
    using producer = new Producer(sys, { mapFlags: mapFlags.value('rb_overwrite') })
    using ring = openRingBuffer(sys, producer.map)
    const checker = new Checker()
    const { produced } = producer.run(500)
    ring.consumeRecords(checker.check)
    expect(checker.received).toBeGreaterThan(20)
    expect(checker.received + checker.missing).toBe(produced)
    expect(ring.counters.overwritten).toBeGreaterThan(0)
  })
})
