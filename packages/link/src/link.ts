import { attachFlags, linkTypes } from '@tsbpf/uapi'
import { failure, linkDetach, linkGetInfo, linkUpdate, objPin } from '@tsbpf/sys'
import type { PinOptions, Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { refused, resultOf } from './refused.ts'

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
  /** System-wide id of the kernel's link; `undefined` where the kernel has none for this kind. */
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
  /** Descriptor of the kernel's link; `undefined` where the kernel has none. */
  readonly linkFd: number | undefined
  /** Without a kernel link: how the program is detached. Called at most once. */
  readonly undo?: () => void
  /** What else is to be closed: called once, after the link's descriptor was closed or the program detached. */
  readonly release?: () => void
  /** Without a kernel link: how the program is replaced. */
  readonly replace?: (program: AttachableProgram) => void
  /** True where the attachment stays when this process is killed; false unless given. Needs `undo`. */
  readonly outlivesProcess?: boolean
}

/**
 * A program attached to a hook, until it is detached or this process ends.
 *
 * It owns its descriptors. `detach` and `dispose` close them, a second call does nothing; with `using` that happens at
 * the end of the block. The program may be disposed before: the kernel keeps it while it is attached.
 */
export class Link implements Disposable {
  readonly kind: string
  readonly program: string
  readonly target: string
  /**
   * True where the kernel keeps the program attached when this process is killed: the kind has no kernel link, or this
   * kernel is too old for one. When the process ends otherwise (`atEnd` of `Sys`), it is detached, unless {@link leave}
   * was called.
   */
  readonly outlivesProcess: boolean
  readonly #sys: Sys
  readonly #parts: LinkParts
  readonly #forget: (() => void) | undefined
  #pinned = false
  #detached = false

  /** Takes the descriptors over; use the `attach…` functions. */
  constructor(sys: Sys, parts: LinkParts) {
    this.kind = parts.kind
    this.program = parts.program
    this.target = parts.target
    this.outlivesProcess = parts.outlivesProcess === true
    this.#sys = sys
    this.#parts = parts
    if (this.outlivesProcess) this.#forget = sys.atEnd?.(() => this.dispose())
  }

  /** Descriptor of the kernel's link; `undefined` where the kernel attached without one. It stays this link's own. */
  get fd(): number | undefined {
    this.#live()
    return this.#parts.linkFd
  }

  /** True once {@link detach}, {@link dispose} or {@link leave} has been called. */
  get detached(): boolean {
    return this.#detached
  }

  /** What the kernel says about the link (BPF_OBJ_GET_INFO_BY_FD). Throws LINK_DISPOSED, `SyscallError`. */
  info(): LinkInfo {
    const { fd } = this
    const own = { kind: this.kind, program: this.program, target: this.target }
    if (fd === undefined) return { ...own, id: undefined, type: undefined, programId: undefined }
    const raw = linkGetInfo(this.#sys, fd)
    return { ...own, id: raw.id, type: linkTypes.format(raw.type), programId: raw.prog_id }
  }

  /**
   * Puts another program in the place of the attached one, with no moment without either (BPF_LINK_UPDATE, kernel 5.7).
   * Cgroup, network namespace, XDP, tcx and netkit links can; with `expected`, only if that program is still there.
   * Throws LINK_DISPOSED, LINK_NO_UPDATE, LINK_CHANGED, LINK_DENIED, LINK_REFUSED.
   */
  update(program: AttachableProgram, options: { readonly expected?: AttachableProgram } = {}): void {
    const { fd } = this
    const { replace } = this.#parts
    if (fd === undefined) {
      if (replace === undefined) throw errors.LINK_NO_UPDATE({ program: this.program, kind: this.kind })
      replace(program)
      return
    }
    const { expected } = options
    try {
      linkUpdate(this.#sys, {
        link_fd: fd,
        new_prog_fd: program.fd,
        ...(expected === undefined ? {} : { flags: attachFlags.value('replace'), old_prog_fd: expected.fd }),
      })
    } catch (error) {
      const attempt = { program, target: this.target, step: 'BPF_LINK_UPDATE', wants: [] }
      const result = resultOf(error)
      if (expected !== undefined && result === failure('EPERM')) {
        throw errors.LINK_CHANGED({ program: expected.name, target: this.target }, { cause: error })
      }
      throw refused(this.#sys, attempt, result, error)
    }
  }

  /**
   * Gives the link a path in a BPF file system, which keeps it attached when this process ends (BPF_OBJ_PIN).
   * From then on `dispose` only closes this handle; `detach` detaches. With `untilEnd` the path is removed when this
   * process ends, unless it is killed. Throws LINK_DISPOSED, LINK_NO_PIN, `SyscallError`.
   */
  pin(path: string, options: PinOptions = {}): void {
    const { fd } = this
    if (fd === undefined) throw errors.LINK_NO_PIN({ program: this.program, kind: this.kind })
    objPin(this.#sys, path, fd, options)
    this.#pinned = true
  }

  /**
   * Detaches the program. A second call does nothing. A pinned link is detached too, where the kernel can
   * (BPF_LINK_DETACH, kernel 5.9); its pin stays and keeps an empty link. Throws `SyscallError` where it cannot.
   */
  detach(): void {
    if (this.#detached) return
    try {
      if (this.#pinned && this.#parts.linkFd !== undefined) linkDetach(this.#sys, this.#parts.linkFd)
    } finally {
      this.dispose()
    }
  }

  /**
   * Closes the handle and leaves the program attached, also when this process ends: of an attachment that
   * {@link outlivesProcess}. A kernel link is pinned instead. Throws LINK_DISPOSED, LINK_NO_LEAVE.
   */
  leave(): void {
    this.#live()
    if (!this.outlivesProcess) throw errors.LINK_NO_LEAVE({ program: this.program, kind: this.kind })
    this.#close(undefined)
  }

  /** Closes the handle, which detaches the program unless the link is pinned. A second call does nothing. */
  dispose(): void {
    if (!this.#detached) this.#close(this.#parts.undo)
  }

  #close(undo: (() => void) | undefined): void {
    const { linkFd, release } = this.#parts
    this.#detached = true
    this.#forget?.()
    if (linkFd !== undefined) this.#sys.close(linkFd)
    try {
      undo?.()
    } finally {
      release?.()
    }
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #live(): void {
    if (this.#detached) throw errors.LINK_DISPOSED({ program: this.program, target: this.target })
  }
}
