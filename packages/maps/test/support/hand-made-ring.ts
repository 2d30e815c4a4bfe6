import { fakeSys } from '@tsbpf/sys'
import type { FakeSys } from '@tsbpf/sys'
import { openRingBuffer } from '../../src/index.ts'
import type { RingBuffer, RingBufferOptions } from '../../src/index.ts'

const page = 4096
const size = 4096

/** A ring as kernel/bpf/ringbuf.c lays it out, with the producer's side written by hand. */
export class HandMadeRing {
  static readonly size = size
  readonly sys: FakeSys
  readonly fd: number
  readonly memory = [new ArrayBuffer(page), new ArrayBuffer(page + 2 * size)] as const
  readonly produced = new BigUint64Array(this.memory[1], 0, 3)
  readonly consumed = new BigUint64Array(this.memory[0], 0, 1)
  unmapped = 0

  constructor() {
    this.sys = fakeSys({
      calls: {
        mmap: (_fd, _length, _protection, _flags, offset) => {
          const memory = this.memory[offset === 0 ? 0 : 1]
          return {
            memory,
            unmap: () => {
              structuredClone(memory, { transfer: [memory] })
              this.unmapped++
            },
          }
        },
        epollCreate: () => this.sys.newFd('epoll'),
        epollControl: () => 0,
        epollReady: (_epoll, ready) => {
          new Uint32Array(ready.buffer, 0, 2).set([1, 0])
          return 1
        },
      },
    })
    this.fd = this.sys.newFd('map')
  }

  open<T = Uint8Array>(options: RingBufferOptions<T> = {}, flags = 0): RingBuffer<T> {
    const map = { fd: this.fd, name: 'events', type: 'ringbuf', maxEntries: size, flags }
    return openRingBuffer(this.sys, map, options)
  }

  get free(): number {
    return size - Number(this.produced[0]! - this.consumed[0]!)
  }

  /** Writes both copies; returns where the header is. */
  put(bytes: Uint8Array, flags = 0): number {
    const at = Number(this.produced[0]! % BigInt(size))
    this.header(at, (bytes.length | flags) >>> 0)
    for (const [i, byte] of bytes.entries()) {
      const to = (at + 8 + i) % size
      this.byte(to, byte)
      this.byte(to + size, byte)
    }
    this.produced[0]! += BigInt((bytes.length + 15) & ~7)
    return at
  }

  header(at: number, value: number): void {
    for (const copy of [0, size]) new DataView(this.memory[1], page).setUint32(at + copy, value, true)
  }

  byte(at: number, value: number): void {
    new DataView(this.memory[1], page).setUint8(at, value)
  }

  /** As a program that reserves does: all up to there is submitted. */
  settle(): void {
    this.produced[1] = this.produced[0]!
  }

  /** As the event loop would. */
  wake(): void {
    for (const [fd, kind] of this.sys.open) if (kind === 'epoll') this.sys.makeReady(fd)
  }
}
