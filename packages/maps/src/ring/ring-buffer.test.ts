import { fakeSys } from '@tsbpf/sys'
import { linux, mapFlags } from '@tsbpf/uapi'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openRingBuffer } from '../index.ts'
import type { RingRecord } from '../index.ts'
import { HandMadeRing } from '../../test/support/hand-made-ring.ts'

const busy = linux.BPF_RINGBUF_BUSY_BIT
const discard = linux.BPF_RINGBUF_DISCARD_BIT
const size = HandMadeRing.size

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error

describe('ring buffer', () => {
  it('reads what any program may write, in order, around its end', () => {
    const records = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 200 })
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 20 }), (wanted, every) => {
        const hand = new HandMadeRing()
        using ring = hand.open()
        const seen: Uint8Array[] = []
        const drain = (): number => ring.consume((bytes) => seen.push(bytes))
        for (const [i, [bytes, dropped]] of wanted.entries()) {
          if (hand.free < bytes.length + 16 || i % every === 0) drain()
          hand.put(bytes, dropped ? discard : 0)
        }
        drain()
        const kept = wanted.filter(([, dropped]) => !dropped).map(([bytes]) => bytes)
        expect(seen).toEqual(kept)
        expect(ring.counters).toMatchObject({
          received: kept.length,
          discarded: wanted.length - kept.length,
          bytes: kept.reduce((sum, bytes) => sum + bytes.length, 0),
        })
        expect([hand.free, ring.available]).toEqual([size, 0])
      }),
    )
  })

  it('stands before a record that is not submitted', () => {
    const hand = new HandMadeRing()
    using ring = hand.open()
    hand.put(Uint8Array.of(1))
    const at = hand.put(Uint8Array.of(2), busy)
    hand.put(Uint8Array.of(3))
    expect(ring.read()).toEqual([Uint8Array.of(1)])
    expect([ring.read(), ring.available]).toEqual([[], 32])
    hand.header(at, 1)
    expect(ring.read()).toEqual([Uint8Array.of(2), Uint8Array.of(3)])
  })

  it('lends a record until its callback returns', () => {
    const hand = new HandMadeRing()
    using ring = hand.open()
    hand.put(Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 128, 255, 255]))
    let kept: RingRecord | undefined
    const count = ring.consumeRecords((record) => {
      kept = record
      expect([record.size, record.u8(0), record.u16(8), record.u32(0), record.i32(4)]).toEqual([
        10,
        1,
        0xffff,
        1,
        -(2 ** 31),
      ])
      expect([record.u64(0), record.i64(0), record.u64AsNumber(0)]).toEqual([
        0x8000_0000_0000_0001n,
        -0x7fff_ffff_ffff_ffffn,
        2 ** 63,
      ])
      expect(record.bytes(7)).toEqual(Uint8Array.of(128, 255, 255))
      for (const use of [
        () => record.u64(3),
        () => record.u8(10),
        () => record.u8(-1),
        () => record.u16(NaN),
        () => record.bytes(5, 4),
        () => record.bytes(0, 11),
      ]) {
        expect(use).toThrow(code('RING_RECORD_RANGE'))
      }
    })
    expect(count).toBe(1)
    for (const use of [() => kept!.u8(0), () => kept!.bytes()]) expect(use).toThrow(code('RING_RECORD_ENDED'))
  })

  it('counts a record as read whose callback throws, and goes on behind it', () => {
    const hand = new HandMadeRing()
    using ring = hand.open()
    for (const byte of [1, 2, 3]) hand.put(Uint8Array.of(byte))
    const boom = (): never => {
      throw new Error('boom')
    }
    expect(() => ring.consume(boom)).toThrow('boom')
    expect(ring.read()).toEqual([Uint8Array.of(2), Uint8Array.of(3)])
    expect(ring.counters.received).toBe(3)
  })

  it('refuses what cannot be', () => {
    const hand = new HandMadeRing()
    const wrong = { fd: hand.fd, name: 'counts', type: 'hash', maxEntries: 1, flags: 0 }
    expect(() => openRingBuffer(hand.sys, wrong)).toThrow(code('RING_TYPE'))
    expect(() => openRingBuffer(fakeSys(), { ...wrong, type: 'ringbuf' })).toThrow(code('RING_MAP'))
    using ring = hand.open({ decode: { size: 8, decode: () => 1 } })
    hand.put(new Uint8Array(4))
    expect(() => ring.read()).toThrow(code('RING_RECORD_SIZE'))
    hand.put(new Uint8Array(8))
    expect(() => ring.consume(() => void ring.read())).toThrow(code('RING_BUSY'))
    hand.header(hand.put(new Uint8Array(8)), 3000)
    expect(() => ring.read()).toThrow(code('RING_CORRUPT'))
  })

  it('is unmapped once, and refuses use after that, also within its own callback', async () => {
    const hand = new HandMadeRing()
    const ring = hand.open()
    for (const byte of [1, 2]) hand.put(Uint8Array.of(byte))
    const values = ring.values()
    expect((await values.next()).value).toEqual(Uint8Array.of(1))
    ring.dispose()
    ring.dispose()
    // Nothing keeps the process alive, also where nobody asks for more.
    expect([hand.unmapped, [...hand.sys.open.values()]]).toEqual([2, ['map']])
    for (const use of [() => ring.read(), () => ring.available, () => ring.listen(() => undefined)]) {
      expect(use).toThrow(code('RING_DISPOSED'))
    }
    // The second record was read with the first.
    expect((await values.next()).value).toEqual(Uint8Array.of(2))
    expect((await values.next()).done).toBe(true)
    const inside = new HandMadeRing()
    const second = inside.open()
    for (const byte of [1, 2]) inside.put(Uint8Array.of(byte))
    expect(second.consume(() => second.dispose())).toBe(1)
    expect(inside.unmapped).toBe(2)
  })

  it('has one reader at a time', async () => {
    const hand = new HandMadeRing()
    using ring = hand.open()
    const listening = ring.listen(() => undefined)
    expect(() => ring.listen(() => undefined)).toThrow(code('RING_BUSY'))
    await expect(ring.values().next()).rejects.toThrow(code('RING_BUSY'))
    listening.stop()
    listening.stop()
    listening.resume()
    expect([...hand.sys.open.values()]).toEqual(['map'])
    using again = ring.listen(() => undefined)
    expect(again).toBeDefined()
  })

  it('waits for records, and ends with its signal', async () => {
    const hand = new HandMadeRing()
    using ring = hand.open({ decode: (record) => record.u8(0) })
    const abort = new AbortController()
    const values = ring.values({ signal: abort.signal, limit: 2 })
    const first = values.next()
    for (const byte of [1, 2, 3]) hand.put(Uint8Array.of(byte))
    hand.wake()
    expect(await first).toEqual({ value: 1, done: false })
    expect((await values.next()).value).toBe(2)
    const third = values.next()
    // The batch was full: the ring is asked again.
    await new Promise((resolve) => setTimeout(resolve))
    hand.wake()
    expect((await third).value).toBe(3)
    const never = values.next()
    abort.abort(new Error('enough'))
    await expect(never).rejects.toThrow('enough')
    expect([...hand.sys.open.values()]).toEqual(['map'])
    await expect(ring.values({ signal: abort.signal }).next()).rejects.toThrow('enough')
    expect(() => ring.listen(() => undefined, { signal: abort.signal })).toThrow('enough')
  })

  it('stops listening with its signal, and leaves records while it is paused', () => {
    const hand = new HandMadeRing()
    using ring = hand.open({ dropped: () => 7n })
    const abort = new AbortController()
    const seen: number[] = []
    const listening = ring.listenRecords((record) => seen.push(record.u8(0)), {
      signal: abort.signal,
      limit: 2,
    })
    for (const byte of [1, 2, 3]) hand.put(Uint8Array.of(byte))
    hand.wake()
    expect(seen).toEqual([1, 2])
    listening.pause()
    hand.wake()
    expect([seen, [...hand.sys.open.values()]]).toEqual([[1, 2], ['map']])
    abort.abort()
    listening.resume()
    hand.wake()
    expect([seen, ring.available, ring.counters.dropped]).toEqual([[1, 2], 16, 7n])
  })

  it('counts what programs overwrote, and gives nothing of it', () => {
    const hand = new HandMadeRing()
    using ring = hand.open({ decode: (record) => record.u8(0) }, mapFlags.value('rb_overwrite'))
    for (const byte of [1, 2, 3]) hand.put(Uint8Array.of(byte))
    hand.produced[2] = 16n
    expect(ring.read(1)).toEqual([2])
    hand.put(Uint8Array.of(9), discard)
    hand.put(Uint8Array.of(4), busy)
    expect(ring.read()).toEqual([3])
    expect(ring.counters).toMatchObject({ received: 2, discarded: 1, overwritten: 16 })
  })
})
