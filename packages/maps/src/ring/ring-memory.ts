import { errnoName } from '@tsbpf/sys'
import type { Mapping, Sys } from '@tsbpf/sys'
import { linux, mapFlags } from '@tsbpf/uapi'
import { errors } from '../errors.ts'
import { pageSize } from '../page-size.ts'

/** What the readers have to know of a ring's map; a `BpfMap` is one. It stays the caller's. */
export interface RingMap {
  readonly fd: number
  readonly name: string
  readonly type: string
  /** Bytes of the ring. */
  readonly maxEntries: number
  readonly flags: number
}

/** What is done with one record, whose bytes are at `at` of the view until it returns. */
export type Visit = (view: DataView, at: number, size: number) => void

/** The consumer's position is told to the kernel after as many bytes, so that the program has room again. */
const publishBytes = 64 * 1024
const headerBytes = linux.BPF_RINGBUF_HDR_SZ
const discarded = linux.BPF_RINGBUF_DISCARD_BIT
/** Indexes of 64-bit words on the producer's page (kernel/bpf/ringbuf.c, struct bpf_ringbuf). */
const producerWord = 0
const overwriteWord = 2

/** What came so far. */
export interface RingCounts {
  received: number
  discarded: number
  bytes: number
  /** Bytes that a program has overwritten before they were read, headers included. */
  overwritten: number
}

/**
 * A ring buffer in memory and the place of its reader (kernel/bpf/ringbuf.c). The data lies there twice, one copy behind
 * the other, so that each record is in one piece.
 *
 * It relies on two orders: a header is read after the producer's position, with acquire; and the position of the
 * consumer is written before the producer's is read again. Then whoever comes second sees the other: no wake-up is lost.
 */
export class RingMemory {
  readonly counts: RingCounts = { received: 0, discarded: 0, bytes: 0, overwritten: 0 }
  /** The mapped data. A write to it ends the process: it is given to decoders alone. */
  readonly data: DataView
  readonly #map: RingMap
  readonly #consumer: Mapping
  readonly #producer: Mapping
  readonly #consumed: BigUint64Array
  readonly #produced: BigUint64Array
  readonly #headers: Int32Array
  readonly #mask: number
  readonly #overwrites: boolean
  #position: bigint
  #scratch = new DataView(new ArrayBuffer(0))
  #disposed = false
  #reading = false

  constructor(sys: Sys, map: RingMap) {
    if (map.type !== 'ringbuf') throw errors.RING_TYPE({ map: map.name, type: map.type, expected: 'ringbuf' })
    const page = pageSize(sys)
    const size = map.maxEntries
    const shared = linux.MAP_SHARED
    this.#consumer = mapped(map, sys.mmap(map.fd, page, linux.PROT_READ | linux.PROT_WRITE, shared, 0))
    try {
      this.#producer = mapped(map, sys.mmap(map.fd, page + 2 * size, linux.PROT_READ, shared, page))
    } catch (error) {
      this.#consumer.unmap()
      throw error instanceof RangeError ? errors.RING_MAP({ map: map.name, errno: 'EFBIG' }) : error
    }
    this.#map = map
    this.#mask = size - 1
    this.#overwrites = (map.flags & mapFlags.value('rb_overwrite')) !== 0
    this.#consumed = new BigUint64Array(this.#consumer.memory, 0, 1)
    this.#produced = new BigUint64Array(this.#producer.memory, 0, overwriteWord + 1)
    this.#headers = new Int32Array(this.#producer.memory, page, (2 * size) / 4)
    this.data = new DataView(this.#producer.memory, page, 2 * size)
    this.#position = Atomics.load(this.#consumed, 0)
  }

  get name(): string {
    return this.#map.name
  }

  get fd(): number {
    this.live()
    return this.#map.fd
  }

  /** Bytes between reader and programs, headers and what is not submitted yet included. */
  get available(): number {
    this.live()
    return Number(Atomics.load(this.#produced, producerWord) - this.#position)
  }

  live(): void {
    if (this.#disposed) throw errors.RING_DISPOSED({ map: this.#map.name })
  }

  get disposed(): boolean {
    return this.#disposed
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#consumer.unmap()
    this.#producer.unmap()
  }

  /**
   * Visits at most `limit` records that are submitted, and returns how many. A record counts as read when its visit is
   * over, also where that threw.
   */
  read(visit: Visit, limit: number): number {
    this.live()
    if (this.#reading) throw errors.RING_BUSY({ map: this.#map.name })
    this.#reading = true
    try {
      return this.#overwrites ? this.#readOverwritten(visit, limit) : this.#read(visit, limit)
    } finally {
      this.#reading = false
    }
  }

  #read(visit: Visit, limit: number): number {
    const { data, counts } = this
    const headers = this.#headers
    const mask = this.#mask
    let visited = 0
    while (visited < limit) {
      const available = Number(Atomics.load(this.#produced, producerWord) - this.#position)
      if (available === 0) break
      const start = Number(this.#position & BigInt(mask))
      const batch = Math.min(available, publishBytes)
      let done = 0
      let bytes = 0
      let skipped = 0
      const first = visited
      try {
        while (done < batch && visited < limit) {
          const at = (start + done) & mask
          const header = Atomics.load(headers, at >>> 2)
          // Reserved, but not submitted yet: its commit wakes the reader, who stands before it.
          if (header < 0) break
          const size = header & ~discarded
          const step = (size + headerBytes + 7) & ~7
          if (step > available - done) throw errors.RING_CORRUPT({ map: this.#map.name, size })
          done += step
          if ((header & discarded) !== 0) {
            skipped++
            continue
          }
          visited++
          bytes += size
          visit(data, at + headerBytes, size)
          if (this.#disposed) return visited
        }
      } finally {
        counts.received += visited - first
        counts.discarded += skipped
        counts.bytes += bytes
        this.#publish(done)
      }
      if (done === 0) break
    }
    return visited
  }

  #publish(bytes: number): void {
    if (bytes === 0 || this.#disposed) return
    this.#position += BigInt(bytes)
    Atomics.store(this.#consumed, 0, this.#position)
  }

  /**
   * For rings whose programs overwrite what is not read (BPF_F_RB_OVERWRITE, kernel 6.19): each record is copied, and
   * counts only if it was not overwritten meanwhile.
   */
  #readOverwritten(visit: Visit, limit: number): number {
    let visited = 0
    while (visited < limit) {
      const produced = Atomics.load(this.#produced, producerWord)
      this.#skipOverwritten()
      const available = Number(produced - this.#position)
      if (available <= 0) break
      const at = Number(this.#position & BigInt(this.#mask))
      const header = Atomics.load(this.#headers, at >>> 2)
      const size = header & ~discarded
      const step = (size + headerBytes + 7) & ~7
      const copied = header >= 0 && step <= available && (header & discarded) === 0
      if (copied) this.#copy(at + headerBytes, size)
      if (this.#skipOverwritten()) continue
      if (header < 0) break
      if (step > available) throw errors.RING_CORRUPT({ map: this.#map.name, size })
      this.#publish(step)
      if (!copied) {
        this.counts.discarded++
        continue
      }
      visited++
      this.counts.received++
      this.counts.bytes += size
      visit(this.#scratch, 0, size)
      if (this.#disposed) break
    }
    return visited
  }

  #skipOverwritten(): boolean {
    const overwritten = Atomics.load(this.#produced, overwriteWord)
    if (overwritten <= this.#position) return false
    const bytes = Number(overwritten - this.#position)
    this.counts.overwritten += bytes
    this.#publish(bytes)
    return true
  }

  #copy(at: number, size: number): void {
    if (this.#scratch.byteLength < size) this.#scratch = new DataView(new ArrayBuffer(size * 2))
    const from = new Uint8Array(this.data.buffer, this.data.byteOffset + at, size)
    new Uint8Array(this.#scratch.buffer).set(from)
  }
}

function mapped(map: RingMap, result: Mapping | number): Mapping {
  if (typeof result === 'number') throw errors.RING_MAP({ map: map.name, errno: errnoName(result) })
  return result
}
