import { errors } from '../errors.ts'
import type { RecordWalk } from './record-walk.ts'

/**
 * A record where the program wrote it: nothing is copied. It is valid until the callback that got it returns; use after
 * that is RING_RECORD_ENDED, and a read outside of it RING_RECORD_RANGE. The same object stands for each record in turn.
 * Numbers are little-endian, as on both architectures that have a door.
 */
export class RingRecord {
  /** Bytes; -1 once it has ended. */
  size = -1
  #view: DataView
  #at = 0

  /** Made by the readers. */
  constructor(view: DataView) {
    this.#view = view
  }

  /** For the readers: stands for other bytes from now on. */
  moveTo(at: number, size: number, view: DataView): void {
    this.#at = at
    this.size = size
    this.#view = view
  }

  /** For the readers: stands for nothing. */
  end(): void {
    this.size = -1
  }

  u8(at: number): number {
    if (!(at >= 0 && at + 1 <= this.size)) this.#fail(at, 1)
    return this.#view.getUint8(this.#at + at)
  }

  u16(at: number): number {
    if (!(at >= 0 && at + 2 <= this.size)) this.#fail(at, 2)
    return this.#view.getUint16(this.#at + at, true)
  }

  u32(at: number): number {
    if (!(at >= 0 && at + 4 <= this.size)) this.#fail(at, 4)
    return this.#view.getUint32(this.#at + at, true)
  }

  i32(at: number): number {
    if (!(at >= 0 && at + 4 <= this.size)) this.#fail(at, 4)
    return this.#view.getInt32(this.#at + at, true)
  }

  u64(at: number): bigint {
    if (!(at >= 0 && at + 8 <= this.size)) this.#fail(at, 8)
    return this.#view.getBigUint64(this.#at + at, true)
  }

  i64(at: number): bigint {
    if (!(at >= 0 && at + 8 <= this.size)) this.#fail(at, 8)
    return this.#view.getBigInt64(this.#at + at, true)
  }

  /** A `u64` as a number, several times as fast as a bigint; beyond 2^53 it is rounded. */
  u64AsNumber(at: number): number {
    if (!(at >= 0 && at + 8 <= this.size)) this.#fail(at, 8)
    const place = this.#at + at
    return this.#view.getUint32(place, true) + this.#view.getUint32(place + 4, true) * 0x1_0000_0000
  }

  /** A copy of the bytes, all or a part; the caller's own. */
  bytes(from = 0, to = this.size): Uint8Array {
    if (!(from >= 0 && from <= to && to <= this.size)) this.#fail(from, to - from)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#at + from, to - from).slice()
  }

  /** The value of a codec at an offset. */
  decode<T>(codec: ElementDecoder<T>, at = 0): T {
    if (!(at >= 0 && at + codec.size <= this.size)) this.#fail(at, codec.size)
    return codec.decode(this.#view, this.#at + at)
  }

  #fail(at: number, length: number): never {
    if (this.size < 0) throw errors.RING_RECORD_ENDED(undefined)
    throw errors.RING_RECORD_RANGE({ at, length, size: this.size })
  }
}

/** Makes values of elements of at least `size` bytes; an `ElementCodec` is one. */
export interface ElementDecoder<T> {
  readonly size: number
  decode(bytes: DataView, offset: number): T
  /** For the readers, who have looked whether a record has `size` bytes: `decode` without looking. */
  reader?(): (view: DataView, offset: number) => T
  /** For the readers: code that decodes all records of a ring; `undefined` where none may be made. */
  valueWalk?(): RecordWalk<(value: T) => void> | undefined
}

/** How the readers make a value of a record. */
export type RecordDecoder<T> = ElementDecoder<T> | ((record: RingRecord) => T)

/** Decodes records one after the other; copies of their bytes where there is no decoder. */
export function recordDecoder<T>(
  decode: RecordDecoder<T> | undefined,
  record: RingRecord,
): (view: DataView, at: number, size: number) => T {
  if (typeof decode === 'function') {
    return (view, at, size) => {
      record.moveTo(at, size, view)
      try {
        return decode(record)
      } finally {
        record.end()
      }
    }
  }
  if (decode === undefined) {
    let seen: DataView | undefined
    let bytes = new Uint8Array()
    return (view, at, size) => {
      if (seen !== view) {
        seen = view
        bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)
      }
      return bytes.slice(at, at + size) as T
    }
  }
  const { size: need } = decode
  const read = decode.reader?.() ?? ((view: DataView, at: number) => decode.decode(view, at))
  return (view, at, size) => {
    if (size < need) throw errors.RING_RECORD_SIZE({ expected: need, actual: size })
    return read(view, at)
  }
}
