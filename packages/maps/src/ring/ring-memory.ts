import { errnoName } from '@tsbpf/sys'
import type { Mapping, Sys } from '@tsbpf/sys'
import { linux, mapFlags } from '@tsbpf/uapi'
import { errors } from '../errors.ts'
import { pageSize } from '../page-size.ts'
import { recordPages, recordStep, sizeBits, stretchBytes } from './record-walk.ts'
import type { RecordPages, RecordWalk } from './record-walk.ts'

/** What the readers have to know of a ring's map; a `BpfMap` is one. It stays the caller's. */
export interface RingMap {
  readonly fd: number
  readonly name: string
  readonly type: string
  /** Bytes of the ring. */
  readonly maxEntries: number
  readonly flags: number
}

/** Indexes of 64-bit words on the producer's page (kernel/bpf/ringbuf.c, struct bpf_ringbuf). */
const producerWord = 0
const pendingWord = 1
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
 * It is read in stretches: first it is found out how far all records are submitted, from a position that programs
 * leave or, behind it, from their headers; then all of these are visited, behind a barrier; then the kernel is told. So
 * what costs (an atomic access, a 64-bit position) is paid for each stretch, not for each record, and the barrier orders
 * the headers before what they head, as an acquire of each would.
 *
 * No wake-up is lost: the consumer's position is written before the producer's position and the next header are read
 * again, and a program writes these before it looks at the consumer's. Whoever comes second sees the other.
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
  readonly #pages: RecordPages
  readonly #barrier = new Int32Array(1)
  readonly #size: number
  readonly #overwrites: boolean
  #position: bigint
  /** A place for one record of a ring that is overwritten. */
  #scratch = scratchPages(64)
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
    this.#size = size
    this.#overwrites = (map.flags & mapFlags.value('rb_overwrite')) !== 0
    this.#consumed = new BigUint64Array(this.#consumer.memory, 0, 1)
    this.#produced = new BigUint64Array(this.#producer.memory, 0, overwriteWord + 1)
    this.#headers = new Int32Array(this.#producer.memory, page, (2 * size) / 4)
    this.data = new DataView(this.#producer.memory, page, 2 * size)
    this.#pages = recordPages(this.#headers, this.data, size - 1)
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
   * Walks over at most `limit` records that are submitted, and returns how many. A record counts as read when its visit
   * is over, also where that threw.
   */
  read<S>(walk: RecordWalk<S>, sink: S, limit: number): number {
    this.live()
    if (this.#reading) throw errors.RING_BUSY({ map: this.#map.name })
    this.#reading = true
    try {
      return this.#overwrites ? this.#readOverwritten(walk, sink, limit) : this.#read(walk, sink, limit)
    } finally {
      this.#reading = false
    }
  }

  #read<S>(walk: RecordWalk<S>, sink: S, limit: number): number {
    const pages = this.#pages
    let visited = 0
    while (visited < limit && !this.#disposed) {
      const available = Number(Atomics.load(this.#produced, producerWord) - this.#position)
      const from = Number(this.#position & BigInt(this.#size - 1))
      const bytes = Math.min(this.#submitted(from, available), stretchBytes, this.#size / 4)
      if (bytes === 0) break
      pages.limit = Math.min(limit - visited, 0x7fff_ffff)
      visited += this.#walk(walk, pages, from, bytes, sink)
      if (pages.done > available) throw errors.RING_CORRUPT({ map: this.#map.name, size: pages.done })
    }
    return visited
  }

  /** Bytes from there on in which all records are submitted; 0 where none is. */
  #submitted(from: number, available: number): number {
    // Programs that reserve go over what is submitted (kernel 6.10 and those fixed since; 0 in others).
    const settled = Number(Atomics.load(this.#produced, pendingWord) - this.#position)
    if (settled > 0) return Math.min(settled, available)
    const headers = this.#headers
    const mask = this.#size - 1
    const most = Math.min(available, stretchBytes)
    let done = 0
    while (done < most) {
      const header = headers[((from + done) & mask) >>> 2] ?? 0
      // Reserved, but not submitted yet: its commit wakes the reader, who stands before it.
      if (header < 0) break
      const step = recordStep(header & sizeBits)
      if (step > available - done) {
        if (done > 0) break
        throw errors.RING_CORRUPT({ map: this.#map.name, size: header & sizeBits })
      }
      done += step
    }
    this.#order()
    return done
  }

  /**
   * Nothing that is read behind it is read before what is read ahead of it. On arm64 a plain load stays ahead of a
   * store-release, that ahead of a load-acquire, and that ahead of the next load; x86 keeps loads in order.
   */
  #order(): void {
    Atomics.store(this.#barrier, 0, 0)
    Atomics.load(this.#barrier, 0)
  }

  #walk<S>(walk: RecordWalk<S>, pages: RecordPages, from: number, bytes: number, sink: S): number {
    const { counts } = this
    try {
      walk(pages, from, bytes, sink)
    } finally {
      counts.received += pages.visited
      counts.discarded += pages.discarded
      counts.bytes += pages.payload
      if (pages === this.#pages) this.#publish(pages.done)
    }
    return pages.visited
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
  #readOverwritten<S>(walk: RecordWalk<S>, sink: S, limit: number): number {
    let visited = 0
    while (visited < limit && !this.#disposed) {
      const produced = Atomics.load(this.#produced, producerWord)
      this.#skipOverwritten()
      const available = Number(produced - this.#position)
      if (available <= 0) break
      const at = Number(this.#position & BigInt(this.#size - 1))
      const header = Atomics.load(this.#headers, at >>> 2)
      const size = header & sizeBits
      const step = recordStep(size)
      const copied = header >= 0 && step <= available
      if (copied) this.#copy(at, step)
      // What is behind the copy is read behind it.
      this.#order()
      if (this.#skipOverwritten()) continue
      if (header < 0) break
      if (!copied) throw errors.RING_CORRUPT({ map: this.#map.name, size })
      this.#publish(step)
      visited += this.#walk(walk, this.#scratch, 0, step, sink)
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

  #copy(at: number, bytes: number): void {
    if (this.#scratch.view.byteLength < bytes) this.#scratch = scratchPages(bytes * 2)
    const from = new Uint8Array(this.data.buffer, this.data.byteOffset + at, bytes)
    new Uint8Array(this.#scratch.view.buffer).set(from)
  }
}

/** Pages for one record, at 0. */
function scratchPages(bytes: number): RecordPages {
  const memory = new ArrayBuffer(bytes)
  return recordPages(new Int32Array(memory), new DataView(memory), 0x7fff_ffff)
}

function mapped(map: RingMap, result: Mapping | number): Mapping {
  if (typeof result === 'number') throw errors.RING_MAP({ map: map.name, errno: errnoName(result) })
  return result
}
