import type { Mapping } from '@tsbpf/sys'
import { perfEventHeader, perfEventMmapPage, perfRecordTypes } from '@tsbpf/uapi'

const headWord = perfEventMmapPage.offsets.data_head / 8
const tailWord = perfEventMmapPage.offsets.data_tail / 8
const headerBytes = perfEventHeader.size
/** Bytes of the length before the data of a sample made with PERF_SAMPLE_RAW alone. */
const lengthBytes = 4

/** What is done with what came: a sample's bytes, or how many records found no room. */
export interface PerfVisitor {
  sample(view: DataView, at: number, size: number): void
  lost(count: number): void
}

/**
 * The buffer of one processor's perf event (include/uapi/linux/perf_event.h, struct perf_event_mmap_page): `data_head`
 * is read with acquire before the records, `data_tail` written with release behind them. A record may go around the
 * end; then it is put together in one piece.
 */
export class PerfMemory {
  readonly #mapping: Mapping
  readonly #words: BigUint64Array
  readonly #data: DataView
  readonly #bytes: Uint8Array
  readonly #size: number
  #whole = new DataView(new ArrayBuffer(65_536))
  /** Of a buffer that is overwritten: where the newest record was when it was read last. */
  #seenHead = 0n

  constructor(mapping: Mapping, page: number, size: number) {
    this.#mapping = mapping
    this.#words = new BigUint64Array(mapping.memory, 0, page / 8)
    this.#data = new DataView(mapping.memory, page, size)
    this.#bytes = new Uint8Array(mapping.memory, page, size)
    this.#size = size
  }

  unmap(): void {
    this.#mapping.unmap()
  }

  /** Reads what is there, oldest first; returns how many samples. */
  read(visitor: PerfVisitor): number {
    const head = Atomics.load(this.#words, headWord)
    let tail = Atomics.load(this.#words, tailWord)
    let samples = 0
    try {
      while (tail < head) {
        const at = Number(tail & BigInt(this.#size - 1))
        const size = this.#data.getUint16(at + perfEventHeader.offsets.size, true)
        if (size < headerBytes) {
          // Not a record: nothing behind it can be told.
          tail = head
          break
        }
        tail += BigInt(size)
        if (this.#visit(at, size, visitor)) samples++
      }
    } finally {
      // Where the visitor disposed it, its memory is gone.
      if (this.#words.length > 0) Atomics.store(this.#words, tailWord, tail)
    }
    return samples
  }

  /**
   * Reads a buffer that the kernel fills from its end to its beginning and never stops (`write_backward`), while its
   * output is paused: the newest first, back to what was read before or is overwritten.
   */
  readBackward(visitor: PerfVisitor): number {
    const head = Atomics.load(this.#words, headWord)
    const seen = this.#seenHead
    let samples = 0
    for (let at = head; at !== seen;) {
      const offset = Number(BigInt.asUintN(64, at) & BigInt(this.#size - 1))
      const size = this.#data.getUint16(offset + perfEventHeader.offsets.size, true)
      const covered = Number(BigInt.asUintN(64, at - head))
      if (size < headerBytes || covered + size > this.#size) break
      if (this.#visit(offset, size, visitor)) samples++
      at = BigInt.asUintN(64, at + BigInt(size))
    }
    this.#seenHead = head
    return samples
  }

  /** Whether it was a sample. */
  #visit(at: number, size: number, visitor: PerfVisitor): boolean {
    let view = this.#data
    let start = at
    if (at + size > this.#size) {
      const whole = new Uint8Array(this.#whole.buffer)
      const first = this.#size - at
      whole.set(this.#bytes.subarray(at))
      whole.set(this.#bytes.subarray(0, size - first), first)
      view = this.#whole
      start = 0
    }
    const type = view.getUint32(start, true)
    const body = start + headerBytes
    if (type === perfRecordTypes.value('sample') && size >= headerBytes + lengthBytes) {
      const length = Math.min(view.getUint32(body, true), size - headerBytes - lengthBytes)
      visitor.sample(view, body + lengthBytes, length)
      return true
    }
    // struct { u64 id, lost }
    if (type === perfRecordTypes.value('lost') && size >= headerBytes + 16) {
      visitor.lost(Number(view.getBigUint64(body + 8, true)))
    }
    return false
  }
}
