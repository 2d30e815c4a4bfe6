import { generate } from '@tsbpf/base'
import { linux } from '@tsbpf/uapi'

/** Where records lie, and how far the walk over them came. */
export interface RecordPages {
  readonly headers: Int32Array
  readonly view: DataView
  /** The size of the ring less one: a place behind its end is one at its start. */
  readonly mask: number
  /** A walk visits at most so many records. */
  limit: number
  /** What the last walk did: bytes walked over, records visited, their bytes, and records discarded. */
  done: number
  visited: number
  payload: number
  discarded: number
}

/** The pages of a ring of `mask + 1` bytes, whose second copy lies behind the first. */
export function recordPages(headers: Int32Array, view: DataView, mask: number): RecordPages {
  return { headers, view, mask, limit: 1, done: 0, visited: 0, payload: 0, discarded: 0 }
}

/** Visits the records that start within so many bytes of a place, all of them submitted, and says in `pages` how far it came, also where it throws. */
export type RecordWalk<S> = (pages: RecordPages, from: number, bytes: number, sink: S) => void

/** What is done with one record, whose bytes are at `at` of the view until it returns. */
export type Visit = (view: DataView, at: number, size: number) => void

/** A stretch of a ring that is walked at once has so many bytes, or a quarter of the ring; the last record may end behind it. */
export const stretchBytes = 64 * 1024
const headerBytes = linux.BPF_RINGBUF_HDR_SZ
const discardBit = linux.BPF_RINGBUF_DISCARD_BIT
/** The bits of a header that are the size. */
export const sizeBits = ~(linux.BPF_RINGBUF_BUSY_BIT | linux.BPF_RINGBUF_DISCARD_BIT)

/** Bytes from a record of so many to the next. */
export function recordStep(size: number): number {
  return (size + headerBytes + 7) & ~7
}

/** Walks without code made for it: the twin of what {@link recordWalk} makes. */
export function interpretedWalk(pages: RecordPages, from: number, bytes: number, visit: Visit): void {
  const { headers, view, mask, limit } = pages
  let [done, visited, payload, discarded] = [0, 0, 0, 0]
  try {
    while (done < bytes && visited < limit) {
      const at = (from + done) & mask
      const header = headers[at >>> 2]
      // The visit before has disposed the ring.
      if (header === undefined) break
      const size = header & sizeBits
      done += recordStep(size)
      if ((header & discardBit) !== 0) {
        discarded++
        continue
      }
      visited++
      payload += size
      visit(view, at + headerBytes, size)
    }
  } finally {
    Object.assign(pages, { done, visited, payload, discarded })
  }
}

let copies = 0

/**
 * A walk with `visit`, statements of JavaScript that see `view`, `at`, `size`, `sink` and what `names` are given in
 * `values`, in its loop. Each is code of its own, because the engine learns what a loop calls for all that share its
 * code: the comment with the number keeps it from taking two for the same. `undefined` where code may not be made.
 */
export function recordWalk<S>(
  visit: string,
  values: Readonly<Record<string, unknown>> = {},
  before = '',
): RecordWalk<S> | undefined {
  const source = `"use strict" // ${copies++}
const [${Object.keys(values).join(', ')}] = values
return (pages, from, bytes, sink) => {
  const { headers, view, mask, limit } = pages
  let done = 0, visited = 0, payload = 0, discarded = 0
  ${before}
  try {
    while (done < bytes && visited < limit) {
      const place = (from + done) & mask
      const header = headers[place >>> 2]
      if (header === undefined) break
      const size = header & ${sizeBits}
      done += (size + ${headerBytes + 7}) & ~7
      if ((header & ${discardBit}) !== 0) {
        discarded++
        continue
      }
      visited++
      payload += size
      const at = place + ${headerBytes}
      ${visit}
    }
  } finally {
    pages.done = done
    pages.visited = visited
    pages.payload = payload
    pages.discarded = discarded
  }
}`
  return generate(source, Object.values(values)) as RecordWalk<S> | undefined
}
