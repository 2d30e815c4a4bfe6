import { errors } from './errors.ts'
import type { Sys } from './sys.ts'

/**
 * An owned descriptor: closed by `dispose` (or `using`), once. It belongs to the door that returned it.
 *
 * @example
 * ```ts
 * import { Fd } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * const sys = nativeSys()
 * using fd = new Fd(sys, sys.openat(-100, '/proc/self/status', 0), 'status')
 * console.log(sys.read(fd.value, new Uint8Array(8))) // 8
 * ```
 */
export class Fd {
  /** What it is a descriptor of, for messages. */
  readonly name: string
  readonly #sys: Sys
  #fd: number

  /** Takes over `fd`, which must not be negative. */
  constructor(sys: Sys, fd: number, name = 'descriptor') {
    if (!(fd >= 0)) throw new RangeError(`${name} is ${fd}, not a descriptor`)
    this.#sys = sys
    this.#fd = fd
    this.name = name
  }

  /** The number, for calls. Throws `SYS_FD_DISPOSED` once it is closed or taken. */
  get value(): number {
    if (this.#fd < 0) throw errors.SYS_FD_DISPOSED({ name: this.name })
    return this.#fd
  }

  get disposed(): boolean {
    return this.#fd < 0
  }

  /** Hands the number over to the caller, who now closes it; this handle counts as disposed. */
  take(): number {
    const fd = this.value
    this.#fd = -1
    return fd
  }

  /** Closes the descriptor; a second call does nothing. */
  dispose(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    this.#sys.close(fd)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
