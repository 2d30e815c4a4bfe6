import type { Sys } from '@tsbpf/sys'
import { errors } from '../errors.ts'
import { recordsPerTurn } from '../limits.ts'
import { pollerOf } from './poller.ts'
import type { Polled } from './poller.ts'
import { recordDecoder, RingRecord } from './record.ts'
import type { RecordDecoder } from './record.ts'
import { RingMemory } from './ring-memory.ts'
import type { RingMap } from './ring-memory.ts'

/** Options of {@link openRingBuffer}. */
export interface RingBufferOptions<T> {
  /**
   * Makes the values: a codec (of BTF, for example) for records of one type, or a function of the record where it was
   * written; bytes unless given. A codec only reads the view that it is given: it is memory of the kernel.
   */
  readonly decode?: RecordDecoder<T>
  /** Reads the number of records that the program could not reserve, where it counts them: {@link RingCounters.dropped}. */
  readonly dropped?: () => number | bigint
}

/** What a {@link RingBuffer} has seen. */
export interface RingCounters {
  readonly received: number
  /** Reserved, then discarded by the program. */
  readonly discarded: number
  /** Of the records received, without headers. */
  readonly bytes: number
  /** What the option `dropped` tells; `undefined` without it: the kernel does not count. */
  readonly dropped: number | bigint | undefined
  /** Bytes lost to overwriting, in a ring that has it (BPF_F_RB_OVERWRITE). */
  readonly overwritten: number
}

/** Options of the forms that wait for records. */
export interface ListenOptions {
  readonly signal?: AbortSignal
  /** Most records in one turn of the event loop, or in one batch; 4096 unless given. */
  readonly limit?: number
}

/** A callback that gets records until it is stopped. */
export interface Listening extends Disposable {
  /** Leaves records in the ring, at no cost; programs fail to reserve when it is full. */
  pause(): void
  resume(): void
  stop(): void
}

/**
 * The reading end of a BPF_MAP_TYPE_RINGBUF (kernel 5.8).
 *
 * `for await` over it, {@link RingBuffer.listen} or {@link RingBuffer.consume}: one reader at a time (RING_BUSY).
 * It is driven by the event loop: no timer and no busy wait, also while a program holds a record that is not submitted.
 * All rings of a door share one watch. Records come in the order in which they were reserved. What is not pulled stays
 * in the ring; the program sees a full ring then. Use after `dispose` is RING_DISPOSED.
 */
export class RingBuffer<T = Uint8Array> implements AsyncIterable<T>, Disposable {
  readonly name: string
  readonly #sys: Sys
  readonly #memory: RingMemory
  readonly #options: RingBufferOptions<T>
  readonly #record: RingRecord
  readonly #decode: (view: DataView, at: number, size: number) => T
  #end: (() => void) | undefined

  /** Use {@link openRingBuffer}. */
  constructor(sys: Sys, map: RingMap, options: RingBufferOptions<T>) {
    this.name = map.name
    this.#sys = sys
    this.#memory = new RingMemory(sys, map)
    this.#options = options
    this.#record = new RingRecord(this.#memory.data)
    this.#decode = recordDecoder(options.decode, this.#record)
  }

  get counters(): RingCounters {
    return { ...this.#memory.counts, dropped: this.#options.dropped?.() }
  }

  /** Bytes in the ring that are not read yet, headers included. */
  get available(): number {
    return this.#memory.available
  }

  /**
   * Reads what is there now, without waiting: also for programs that wake nobody (BPF_RB_NO_WAKEUP). Returns how many
   * records. What the callback throws ends it; the record counts as read.
   */
  consume(callback: (value: T) => void, limit = Infinity): number {
    const decode = this.#decode
    return this.#memory.read((view, at, size) => {
      callback(decode(view, at, size))
    }, limit)
  }

  /** As {@link consume}, with each record where the program wrote it: see {@link RingRecord}. Allocates nothing. */
  consumeRecords(callback: (record: RingRecord) => void, limit = Infinity): number {
    const record = this.#record
    try {
      return this.#memory.read((view, at, size) => {
        record.moveTo(at, size, view)
        callback(record)
      }, limit)
    } finally {
      record.moveTo(0, -1)
    }
  }

  /** The values that are there now, at most `limit`. */
  read(limit = Infinity): T[] {
    const values: T[] = []
    this.consume((value) => values.push(value), limit)
    return values
  }

  /** Calls back with each value from now on, until it is stopped, the signal is aborted, or the ring disposed. */
  listen(callback: (value: T) => void, options: ListenOptions = {}): Listening {
    return this.#listen((limit) => this.consume(callback, limit), options)
  }

  /** As {@link listen}, with each record where the program wrote it. */
  listenRecords(callback: (record: RingRecord) => void, options: ListenOptions = {}): Listening {
    return this.#listen((limit) => this.consumeRecords(callback, limit), options)
  }

  /** Values one by one; see {@link batches}. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.values()
  }

  /** As iterating the ring, with options. */
  async *values(options: ListenOptions = {}): AsyncGenerator<T, void, void> {
    for await (const batch of this.batches(options)) yield* batch
  }

  /**
   * Values in arrays, as many as are there. The next is read when it is asked for, so a slow reader leaves records in
   * the ring. Ends when the ring is disposed; an aborted signal is thrown.
   */
  async *batches(options: ListenOptions = {}): AsyncGenerator<T[], void, void> {
    const { signal, limit = recordsPerTurn } = options
    signal?.throwIfAborted()
    let wake: (() => void) | undefined
    let ready = false
    const wakeUp = (): void => {
      ready = true
      wake?.()
    }
    const polled = this.#claim(wakeUp, () => {
      polled.remove()
      wakeUp()
    })
    signal?.addEventListener('abort', wakeUp)
    try {
      for (;;) {
        ready = false
        signal?.throwIfAborted()
        if (this.#memory.disposed) return
        const batch = this.read(limit)
        if (batch.length > 0) yield batch
        // Other work of the event loop has its turn between full batches.
        if (batch.length === limit) polled.rearm()
        else if (batch.length > 0) continue
        if (!isReady()) {
          await new Promise<void>((resolve) => (wake = resolve))
          wake = undefined
        }
      }
    } finally {
      signal?.removeEventListener('abort', wakeUp)
      this.#release(polled)
    }
    function isReady(): boolean {
      return ready
    }
  }

  /** Ends what reads it and unmaps the ring; a second call does nothing. The map stays the caller's. */
  dispose(): void {
    const end = this.#end
    this.#memory.dispose()
    end?.()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #listen(consume: (limit: number) => number, options: ListenOptions): Listening {
    const { signal, limit = recordsPerTurn } = options
    signal?.throwIfAborted()
    const turn = (): void => {
      if (this.#memory.disposed) return
      let rest = true
      try {
        rest = consume(limit) === limit
      } finally {
        // Also where the callback threw: what is left has its edge behind it.
        if (rest) polled?.rearm()
      }
    }
    let stopped = false
    let polled: Polled | undefined = undefined as Polled | undefined
    const pause = (): void => {
      polled?.remove()
      polled = undefined
    }
    const stop = (): void => {
      stopped = true
      pause()
      signal?.removeEventListener('abort', stop)
      if (this.#end === stop) this.#end = undefined
    }
    polled = this.#claim(turn, stop)
    signal?.addEventListener('abort', stop)
    return {
      pause,
      resume: () => {
        if (!stopped) polled ??= pollerOf(this.#sys).add(this.#memory.fd, turn)
      },
      stop,
      [Symbol.dispose]: stop,
    }
  }

  #claim(ready: () => void, end: () => void): Polled {
    this.#memory.live()
    if (this.#end !== undefined) throw errors.RING_BUSY({ map: this.name })
    const polled = pollerOf(this.#sys).add(this.#memory.fd, ready)
    this.#end = end
    return polled
  }

  #release(polled: Polled): void {
    this.#end = undefined
    polled.remove()
  }
}

/**
 * Opens the reading end of a ring buffer map, which stays the caller's and must stay open while it is waited for.
 * Throws RING_TYPE for another type of map, and RING_MAP where it cannot be mapped into memory.
 *
 * @example
 * ```ts no-run
 * import { openRingBuffer } from '@tsbpf/maps'
 * using ring = openRingBuffer(sys, map, { decode: codec(btf, eventType) })
 * for await (const event of ring) console.log(event)
 * ```
 */
export function openRingBuffer<T = Uint8Array>(
  sys: Sys,
  map: RingMap,
  options: RingBufferOptions<T> = {},
): RingBuffer<T> {
  return new RingBuffer(sys, map, options)
}
