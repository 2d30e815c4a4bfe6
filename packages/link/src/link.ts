import { linkTypes, linux } from '@tsbpf/uapi'
import { linkGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'

/** A loaded program as attaching needs it. */
export interface AttachableProgram {
  readonly fd: number
  /** For errors. */
  readonly name: string
}

/** What a {@link Link} is. */
export interface LinkInfo {
  /** `tracepoint`, `raw_tracepoint`, …: a row of {@link attachKinds}. */
  readonly kind: string
  readonly program: string
  readonly target: string
  /** System-wide id of the kernel's link; `undefined` where an older kernel has none for this kind. */
  readonly id: number | undefined
  /** Kernel spelling of the link's type (`perf_event`); `undefined` without a kernel link. */
  readonly type: string | undefined
  /** System-wide id of the program. */
  readonly programId: number | undefined
}

/** What a kind of attachment hands to its {@link Link}. */
export interface LinkParts {
  readonly kind: string
  readonly program: string
  readonly target: string
  /** Descriptor of the kernel's link; `undefined` where an older kernel has none. */
  readonly linkFd: number | undefined
  /** Descriptor of the perf event that the link holds. */
  readonly perfFd?: number
}

/**
 * A program attached to a hook, until it is detached or this process ends.
 *
 * It owns its descriptors. `detach` closes them, a second call does nothing; with `using` that happens at the end
 * of the block. The program may be disposed before: the kernel keeps it while it is attached.
 */
export class Link implements Disposable {
  readonly kind: string
  readonly program: string
  readonly target: string
  readonly #sys: Sys
  readonly #linkFd: number | undefined
  readonly #perfFd: number | undefined
  #detached = false

  /** Takes the descriptors over; use the `attach…` functions. */
  constructor(sys: Sys, parts: LinkParts) {
    this.kind = parts.kind
    this.program = parts.program
    this.target = parts.target
    this.#sys = sys
    this.#linkFd = parts.linkFd
    this.#perfFd = parts.perfFd
  }

  /** Descriptor of the kernel's link; `undefined` where an older kernel attached without one. It stays this link's own. */
  get fd(): number | undefined {
    this.#live()
    return this.#linkFd
  }

  /** True once {@link detach} has been called. */
  get detached(): boolean {
    return this.#detached
  }

  /** What the kernel says about the link (BPF_OBJ_GET_INFO_BY_FD). Throws LINK_DISPOSED, `SyscallError`. */
  info(): LinkInfo {
    this.#live()
    const own = { kind: this.kind, program: this.program, target: this.target }
    if (this.#linkFd === undefined) return { ...own, id: undefined, type: undefined, programId: undefined }
    const raw = linkGetInfo(this.#sys, this.#linkFd)
    return { ...own, id: raw.id, type: linkTypes.format(raw.type), programId: raw.prog_id }
  }

  /** Detaches the program. A second call does nothing. */
  detach(): void {
    if (this.#detached) return
    this.#detached = true
    if (this.#perfFd !== undefined) this.#sys.ioctl(this.#perfFd, linux.PERF_EVENT_IOC_DISABLE, 0)
    if (this.#linkFd !== undefined) this.#sys.close(this.#linkFd)
    if (this.#perfFd !== undefined) this.#sys.close(this.#perfFd)
  }

  [Symbol.dispose](): void {
    this.detach()
  }

  #live(): void {
    if (this.#detached) throw errors.LINK_DISPOSED({ program: this.program, target: this.target })
  }
}
