import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPerfBuffer } from '../../src/index.ts'
import type { RingRecord } from '../../src/index.ts'
import { Producer } from '../support/ring.ts'

const gate = requires({ root: true, kernel: [5, 8], reason: 'perf events' })
const code = (name: string): Error => expect.objectContaining({ code: name }) as Error
const turn = (milliseconds = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Number and processor of a record, after its contents were checked; samples may be padded. */
function checked(record: RingRecord): readonly [seq: number, cpu: number] {
  const [seq, cpu] = [record.u64AsNumber(0), record.u64AsNumber(8)]
  if (record.u64AsNumber(16) !== (seq ^ cpu)) throw new Error(`record ${seq}: checksum`)
  for (let at = 24; at < 24 + (seq & 7) * 8; at += 8) {
    if (record.u64AsNumber(at) !== seq) throw new Error(`record ${seq}: byte ${at}`)
  }
  return [seq, cpu]
}

describe.skipIf(gate.skip)(gate.title('perf event array'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  it('gives records in order around the end, and says how many were lost', () => {
    using producer = new Producer(sys, { perf: true })
    let told = 0
    using buffer = openPerfBuffer(sys, producer.map, {
      pages: 1,
      decode: checked,
      onLost: (count) => (told += count),
    })
    const next = new Map<number, number>()
    let received = 0
    let missing = 0
    const consume = (): void => {
      buffer.consume(([seq, cpu], from) => {
        expect(from).toBe(cpu)
        expect(seq).toBeGreaterThanOrEqual(next.get(cpu) ?? 0)
        missing += seq - (next.get(cpu) ?? 0)
        next.set(cpu, seq + 1)
        received++
      })
    }
    for (const times of [10, 3, 200, 7, 29, 100, 20, 20, 20]) {
      producer.run(times)
      consume()
    }
    const { produced } = producer.totals()
    expect(received).toBe(buffer.counters.received)
    expect(told).toBeGreaterThan(0)
    // The kernel tells of what it lost with the next record of that processor that fits, if there is one.
    expect([buffer.counters.lost, missing]).toEqual([told, told])
    expect(received + told).toBeLessThanOrEqual(produced)
  })

  it('wakes its reader, at once or at its watermark, and is idle otherwise', async () => {
    for (const watermark of [undefined, 1500]) {
      using producer = new Producer(sys, { perf: true })
      using buffer = openPerfBuffer(sys, producer.map, {
        decode: checked,
        ...(watermark === undefined ? {} : { watermark }),
      })
      const seen: number[] = []
      const listening = buffer.listen(([seq]) => seen.push(seq))
      expect(() => buffer.listen(() => undefined)).toThrow(code('RING_BUSY'))
      // The event loop asks from its next turn on; the first of these, and a timer that is late, may come before it.
      for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
      producer.run(5)
      await turn(50)
      for (let i = 0; i < 200 && watermark === undefined && seen.length < 5; i++) await turn(5)
      expect(seen.length).toBe(watermark === undefined ? 5 : 0)
      producer.run(50)
      for (let i = 0; i < 200 && seen.length < 30; i++) await turn(5)
      expect(seen.length).toBeGreaterThan(30)
      listening.stop()
      producer.run(5)
      await turn(20)
      expect(buffer.read().length).toBeGreaterThanOrEqual(5)
    }
  })

  it('keeps the newest where it overwrites', () => {
    using producer = new Producer(sys, { perf: true })
    using buffer = openPerfBuffer(sys, producer.map, { pages: 1, decode: checked, overwritable: true })
    producer.run(500)
    const values = buffer.read()
    expect(values.length).toBeGreaterThan(20)
    for (const cpu of new Set(values.map(([, one]) => one))) {
      const seqs = values.filter(([, one]) => one === cpu).map(([seq]) => seq)
      expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! - i))
    }
    expect(buffer.read()).toEqual([])
    producer.run(1)
    expect(buffer.read().length).toBe(1)
    expect(() => buffer.listen(() => undefined)).toThrow(code('RING_BUSY'))
  })

  it('refuses what cannot be, and leaves the map as it was', () => {
    using producer = new Producer(sys)
    expect(() => openPerfBuffer(sys, producer.map)).toThrow(code('RING_TYPE'))
    using perf = new Producer(sys, { perf: true })
    expect(() => openPerfBuffer(sys, perf.map, { pages: 3 })).toThrow(code('SYS_CALL_FAILED'))
    const buffer = openPerfBuffer(sys, perf.map)
    buffer.dispose()
    buffer.dispose()
    expect(() => buffer.read()).toThrow(code('RING_DISPOSED'))
    expect(perf.run(1).dropped).toBe(1)
  })
})
