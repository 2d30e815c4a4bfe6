import type { Sys } from '@tsbpf/sys'
import { errors } from '../errors.ts'
import { recordsPerTurn } from '../limits.ts'
import { pollerOf } from './poller.ts'
import type { Polled } from './poller.ts'
import type { RingMemory } from './ring-memory.ts'

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

/** Whoever waits for a ring: one at a time. */
export class RingWait {
  readonly #sys: Sys
  readonly #memory: RingMemory
  #end: (() => void) | undefined

  constructor(sys: Sys, memory: RingMemory) {
    this.#sys = sys
    this.#memory = memory
  }

  /** Ends whoever waits. */
  end(): void {
    this.#end?.()
  }

  /** Calls `consume` when there is something, with the most that it may read; it returns how much it has read. */
  listen(consume: (limit: number) => number, options: ListenOptions): Listening {
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

  /** What `read` gives, as often as there is something, until the ring is disposed; an aborted signal is thrown. */
  async *batches<T>(read: (limit: number) => T[], options: ListenOptions): AsyncGenerator<T[], void, void> {
    const { signal, limit = recordsPerTurn } = options
    signal?.throwIfAborted()
    let wake: (() => void) | undefined
    let ready = false
    const wakeUp = (): void => {
      ready = true
      wake?.()
    }
    const isReady = (): boolean => ready
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
        const batch = read(limit)
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
      this.#end = undefined
      polled.remove()
    }
  }

  #claim(ready: () => void, end: () => void): Polled {
    this.#memory.live()
    if (this.#end !== undefined) throw errors.RING_BUSY({ map: this.#memory.name })
    const polled = pollerOf(this.#sys).add(this.#memory.fd, ready)
    this.#end = end
    return polled
  }
}
