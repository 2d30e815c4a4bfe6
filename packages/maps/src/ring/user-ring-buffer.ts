import { errnoName } from '@tsbpf/sys'
import type { Mapping, Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from '../errors.ts'
import { pageSize } from '../page-size.ts'
import type { RingMap } from './ring-memory.ts'

const headerBytes = linux.BPF_RINGBUF_HDR_SZ
const busy = linux.BPF_RINGBUF_BUSY_BIT
const discarded = linux.BPF_RINGBUF_DISCARD_BIT

/** A place in a user ring buffer that was reserved: fill `bytes`, then submit or discard it, once. */
export interface UserRingSample {
  /** The ring's own memory, zeroed; not to be used once it is submitted. */
  readonly bytes: Uint8Array
  /** Lets programs see it. Use after that is RING_RECORD_ENDED. */
  submit(): void
  /** Lets programs skip it. */
  discard(): void
}

/**
 * The writing end of a BPF_MAP_TYPE_USER_RINGBUF (kernel 6.1): programs take the samples with bpf_user_ringbuf_drain.
 * Nobody is woken: a program drains when it runs. Use after `dispose` is RING_DISPOSED. One process writes at a time.
 */
export class UserRingBuffer implements Disposable {
  readonly name: string
  readonly #consumer: Mapping
  readonly #producer: Mapping
  readonly #consumed: BigUint64Array
  readonly #produced: BigUint64Array
  readonly #headers: Int32Array
  readonly #data: Uint8Array
  readonly #size: number
  #disposed = false

  /** Use {@link openUserRingBuffer}. */
  constructor(sys: Sys, map: RingMap) {
    if (map.type !== 'user_ringbuf') {
      throw errors.RING_TYPE({ map: map.name, type: map.type, expected: 'user_ringbuf' })
    }
    const page = pageSize(sys)
    const size = map.maxEntries
    const [read, write] = [linux.PROT_READ, linux.PROT_READ | linux.PROT_WRITE]
    this.name = map.name
    this.#consumer = mapped(map, sys.mmap(map.fd, page, read, linux.MAP_SHARED, 0))
    const producer = sys.mmap(map.fd, page + 2 * size, write, linux.MAP_SHARED, page)
    if (typeof producer === 'number') this.#consumer.unmap()
    this.#producer = mapped(map, producer)
    this.#consumed = new BigUint64Array(this.#consumer.memory, 0, 1)
    this.#produced = new BigUint64Array(this.#producer.memory, 0, 1)
    this.#headers = new Int32Array(this.#producer.memory, page, (2 * size) / 4)
    this.#data = new Uint8Array(this.#producer.memory, page, 2 * size)
    this.#size = size
  }

  /** Bytes that programs have not taken yet, headers included. */
  get pending(): number {
    this.#live()
    return Number(Atomics.load(this.#produced, 0) - Atomics.load(this.#consumed, 0))
  }

  /** Reserves a sample of `size` bytes; `undefined` where there is no room now. Throws RING_SAMPLE_SIZE. */
  reserve(size: number): UserRingSample | undefined {
    this.#live()
    const step = (size + headerBytes + 7) & ~7
    if (!(Number.isInteger(size) && size >= 0 && step <= this.#size)) {
      throw errors.RING_SAMPLE_SIZE({ map: this.name, size, most: this.#size - headerBytes })
    }
    const produced = Atomics.load(this.#produced, 0)
    const used = Number(produced - Atomics.load(this.#consumed, 0))
    if (this.#size - used < step) return undefined
    const at = Number(produced & BigInt(this.#size - 1))
    Atomics.store(this.#headers, at >>> 2, size | busy)
    // Programs see the place only with its header.
    Atomics.store(this.#produced, 0, produced + BigInt(step))
    const bytes = this.#data.subarray(at + headerBytes, at + headerBytes + size).fill(0)
    let open = true
    const finish = (flags: number): void => {
      this.#live()
      if (!open) throw errors.RING_RECORD_ENDED(undefined)
      open = false
      Atomics.store(this.#headers, at >>> 2, size | flags)
    }
    return {
      bytes,
      submit: () => {
        finish(0)
      },
      discard: () => {
        finish(discarded)
      },
    }
  }

  /** Writes a sample; false where there is no room now. */
  push(bytes: Uint8Array): boolean {
    const sample = this.reserve(bytes.length)
    if (sample === undefined) return false
    sample.bytes.set(bytes)
    sample.submit()
    return true
  }

  /** Unmaps it; a second call does nothing. The map stays the caller's. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#consumer.unmap()
    this.#producer.unmap()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #live(): void {
    if (this.#disposed) throw errors.RING_DISPOSED({ map: this.name })
  }
}

function mapped(map: RingMap, result: Mapping | number): Mapping {
  if (typeof result === 'number') throw errors.RING_MAP({ map: map.name, errno: errnoName(result) })
  return result
}

/**
 * Opens the writing end of a user ring buffer map, which stays the caller's. Throws RING_TYPE and RING_MAP.
 *
 * @example
 * ```ts no-run
 * import { openUserRingBuffer } from '@tsbpf/maps'
 * using ring = openUserRingBuffer(sys, map)
 * if (!ring.push(Uint8Array.of(1, 2, 3))) console.log('full: no program has drained it')
 * ```
 */
export function openUserRingBuffer(sys: Sys, map: RingMap): UserRingBuffer {
  return new UserRingBuffer(sys, map)
}
