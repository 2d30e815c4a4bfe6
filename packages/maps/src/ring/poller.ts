import { checked } from '@tsbpf/sys'
import type { Sys, Watch } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'

/** A descriptor that is waited for; see {@link pollerOf}. */
export interface Polled {
  /** Asks again whether it is ready: the callback comes in a later turn of the event loop if it is. */
  rearm(): void
  /** Ends it; the callback does not come any more. A second call does nothing. */
  remove(): void
}

/** Bytes of one descriptor in what `Sys.epollReady` writes, and how many it writes at most. */
const readyBytes = 8
const maxReady = 64
/** Each time something new came, not as long as something is there: what nobody reads yet costs nothing. */
const edge = (linux.EPOLLIN | linux.EPOLLET) >>> 0

/**
 * Waits for any number of descriptors by one watch of the event loop. It exists while there is something to wait for,
 * and keeps the process alive as long.
 */
class Poller {
  readonly #sys: Sys
  readonly #polled = new Map<number, () => void>()
  readonly #ready = new Uint8Array(readyBytes * maxReady)
  #epoll = -1
  #watch: Watch | undefined
  #nextId = 0

  constructor(sys: Sys) {
    this.#sys = sys
  }

  add(fd: number, ready: () => void): Polled {
    if (this.#polled.size === 0) this.#start()
    const id = this.#nextId++
    const control = (operation: number): number =>
      this.#sys.epollControl(this.#epoll, operation, fd, edge, id)
    const result = control(linux.EPOLL_CTL_ADD)
    if (result < 0) {
      if (this.#polled.size === 0) this.#stop()
      checked(result, 'epoll_ctl')
    }
    this.#polled.set(id, ready)
    return {
      rearm: () => {
        if (this.#polled.has(id)) control(linux.EPOLL_CTL_MOD)
      },
      remove: () => {
        if (!this.#polled.delete(id)) return
        control(linux.EPOLL_CTL_DEL)
        if (this.#polled.size === 0) this.#stop()
      },
    }
  }

  #start(): void {
    this.#epoll = checked(this.#sys.epollCreate(), 'epoll_create1')
    const watch = this.#sys.watch(this.#epoll, () => {
      this.#dispatch()
    })
    if (typeof watch === 'number') {
      this.#sys.close(this.#epoll)
      checked(watch, 'watch')
    } else {
      this.#watch = watch
    }
  }

  #stop(): void {
    this.#watch?.stop()
    this.#watch = undefined
    this.#sys.close(this.#epoll)
  }

  #dispatch(): void {
    const count = this.#sys.epollReady(this.#epoll, this.#ready)
    const pairs = new Uint32Array(this.#ready.slice(0, Math.max(0, count) * readyBytes).buffer)
    let failure: { readonly error: unknown } | undefined
    for (let i = 0; i < count; i++) {
      // One callback may remove others.
      const ready = this.#polled.get(pairs[2 * i + 1] ?? -1)
      try {
        ready?.()
      } catch (error) {
        // The edge does not come again: the others must not miss theirs.
        failure ??= { error }
      }
    }
    if (failure !== undefined) throw failure.error
  }
}

const pollers = new WeakMap<Sys, Poller>()

/** The poller of a door: all rings and perf buffers that are read through it share one. */
export function pollerOf(sys: Sys): { add(fd: number, ready: () => void): Polled } {
  let poller = pollers.get(sys)
  if (poller === undefined) pollers.set(sys, (poller = new Poller(sys)))
  return poller
}
