import type { Sys } from '@tsbpf/sys'
import { EachValue } from './each-value.ts'
import type { RingValues } from './each-value.ts'
import type { ColumnsCallback, FieldsCallback, RecordFields } from './record-fields.ts'
import { interpretedWalk, recordWalk } from './record-walk.ts'
import type { RecordWalk } from './record-walk.ts'
import { recordDecoder, RingRecord } from './record.ts'
import type { RecordDecoder } from './record.ts'
import { RingMemory } from './ring-memory.ts'
import type { RingMap } from './ring-memory.ts'
import { RingWait } from './ring-wait.ts'
import type { Listening, ListenOptions } from './ring-wait.ts'

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

type Columned = Pick<RecordFields, 'columnWalk'>

/** The walks of a ring over the fields of a type, made when they are needed first. */
interface FieldWalks {
  call?: RecordWalk<unknown>
  columns?: RecordWalk<ColumnsCallback>
}

/**
 * The reading end of a BPF_MAP_TYPE_RINGBUF (kernel 5.8).
 *
 * | | reads what is there now | goes on when there is more |
 * |---|---|---|
 * | decoded values | `consume`, `read` | `listen`, `for await`, `batches` |
 * | records where they were written | `consumeRecords` | `listenRecords` |
 * | fields of records, the fastest | `consumeFields`, `consumeColumns` | `listenFields`, `listenColumns` |
 *
 * One reads at a time (RING_BUSY). It is driven by the event loop: no timer and no busy wait, also while a program holds
 * a record that is not submitted. All rings of a door share one watch. Records come in the order in which they were
 * reserved. What is not pulled stays in the ring; the program sees a full ring then. Programs have room again after each
 * 64 KiB (a quarter of a smaller ring) and when a call ends. Use after `dispose` is RING_DISPOSED.
 */
export class RingBuffer<T = Uint8Array> implements AsyncIterable<T>, Disposable {
  readonly name: string
  readonly #memory: RingMemory
  readonly #wait: RingWait
  readonly #options: RingBufferOptions<T>
  readonly #record: RingRecord
  #valueWalk: RecordWalk<(value: T) => void> | undefined
  #recordWalk: RecordWalk<(record: RingRecord) => void> | undefined
  readonly #fieldWalks = new WeakMap<object, FieldWalks>()

  /** Use {@link openRingBuffer}. */
  constructor(sys: Sys, map: RingMap, options: RingBufferOptions<T>) {
    this.name = map.name
    this.#memory = new RingMemory(sys, map)
    this.#wait = new RingWait(sys, this.#memory)
    this.#options = options
    this.#record = new RingRecord(this.#memory.data)
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
    this.#valueWalk ??= valueWalk(this.#options.decode, this.#record)
    return this.#memory.read(this.#valueWalk, callback, limit)
  }

  /** As {@link consume}, with each record where the program wrote it: see {@link RingRecord}. Allocates nothing. */
  consumeRecords(callback: (record: RingRecord) => void, limit = Infinity): number {
    const record = this.#record
    this.#recordWalk ??= lentWalk(record)
    try {
      return this.#memory.read(this.#recordWalk, callback, limit)
    } finally {
      record.end()
    }
  }

  /** As {@link consume}, with fields of each record: see {@link recordFields}. Allocates nothing but bigints. */
  consumeFields<P extends readonly string[], V extends number | bigint>(
    fields: RecordFields<P, V>,
    callback: FieldsCallback<P, V>,
    limit = Infinity,
  ): number {
    const walks = this.#walksOf(fields)
    walks.call ??= fields.callbackWalk() as RecordWalk<unknown>
    return this.#memory.read(walks.call, callback, limit)
  }

  /**
   * As {@link consumeFields}, with the fields of many records at once: a typed array for each field, in their order.
   * They are valid until the callback returns; then they are filled again.
   */
  consumeColumns(fields: Columned, callback: ColumnsCallback, limit = Infinity): number {
    const walks = this.#walksOf(fields)
    walks.columns ??= fields.columnWalk()
    return this.#memory.read(walks.columns, callback, limit)
  }

  /** The values that are there now, at most `limit`. */
  read(limit = Infinity): T[] {
    const values: T[] = []
    this.consume((value) => values.push(value), limit)
    return values
  }

  /** Calls back with each value from now on, until it is stopped, the signal is aborted, or the ring disposed. */
  listen(callback: (value: T) => void, options: ListenOptions = {}): Listening {
    return this.#wait.listen((limit) => this.consume(callback, limit), options)
  }

  /** As {@link listen}, with each record where the program wrote it. */
  listenRecords(callback: (record: RingRecord) => void, options: ListenOptions = {}): Listening {
    return this.#wait.listen((limit) => this.consumeRecords(callback, limit), options)
  }

  /** As {@link listen}, with fields of each record. */
  listenFields<P extends readonly string[], V extends number | bigint>(
    fields: RecordFields<P, V>,
    callback: FieldsCallback<P, V>,
    options: ListenOptions = {},
  ): Listening {
    return this.#wait.listen((limit) => this.consumeFields(fields, callback, limit), options)
  }

  /** As {@link listen}, with fields of many records at once. */
  listenColumns(fields: Columned, callback: ColumnsCallback, options: ListenOptions = {}): Listening {
    return this.#wait.listen((limit) => this.consumeColumns(fields, callback, limit), options)
  }

  /** Values one by one; see {@link batches}. */
  [Symbol.asyncIterator](): RingValues<T> {
    return this.values()
  }

  /** As iterating the ring, with options. */
  values(options: ListenOptions = {}): RingValues<T> {
    return new EachValue(this.batches(options))
  }

  /**
   * Values in arrays, as many as are there. The next is read when it is asked for, so a slow reader leaves records in
   * the ring. Ends when the ring is disposed; an aborted signal is thrown.
   */
  batches(options: ListenOptions = {}): AsyncGenerator<T[], void, void> {
    return this.#wait.batches((limit) => this.read(limit), options)
  }

  /** Ends what reads it and unmaps the ring; a second call does nothing. The map stays the caller's. */
  dispose(): void {
    this.#memory.dispose()
    this.#record.end()
    this.#wait.end()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #walksOf(fields: object): FieldWalks {
    let walks = this.#fieldWalks.get(fields)
    if (walks === undefined) this.#fieldWalks.set(fields, (walks = {}))
    return walks
  }
}

function valueWalk<T>(
  decoder: RecordDecoder<T> | undefined,
  record: RingRecord,
): RecordWalk<(value: T) => void> {
  const fused = typeof decoder === 'object' ? decoder.valueWalk?.() : undefined
  if (fused !== undefined) return fused
  const decode = recordDecoder(decoder, record)
  const made = recordWalk<(value: T) => void>('sink(decode(view, at, size))', { decode })
  if (made !== undefined) return made
  return (pages, from, bytes, callback) => {
    interpretedWalk(pages, from, bytes, (view, at, size) => {
      callback(decode(view, at, size))
    })
  }
}

function lentWalk(record: RingRecord): RecordWalk<(record: RingRecord) => void> {
  const code = 'record.moveTo(at, size, view); sink(record)'
  const made = recordWalk<(record: RingRecord) => void>(code, { record })
  if (made !== undefined) return made
  return (pages, from, bytes, callback) => {
    interpretedWalk(pages, from, bytes, (view, at, size) => {
      record.moveTo(at, size, view)
      callback(record)
    })
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
