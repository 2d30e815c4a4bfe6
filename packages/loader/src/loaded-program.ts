import { hexBytes, textUntilNul } from '@tsbpf/base'
import { attach } from '@tsbpf/link'
import type { AttachOptions, Link, UsdtSpecs } from '@tsbpf/link'
import type { ProgramSpec } from '@tsbpf/object'
import { progGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { progTypes } from '@tsbpf/uapi'
import { errors } from './errors.ts'

/** What the kernel says about a program (struct bpf_prog_info). */
export interface ProgramInfo {
  /** System-wide id. */
  readonly id: number
  /** Kernel spelling in lower case. */
  readonly type: string
  /** At most 15 bytes, as the kernel keeps it. */
  readonly name: string
  /** Hash of the instructions: 16 hexadecimal digits. */
  readonly tag: string
  /** Ids of the maps that it uses. */
  readonly mapIds: readonly number[]
  /** Instructions that the verifier walked (kernel 5.16, else 0). */
  readonly verifiedInsns: number
}

/**
 * A program in the kernel. It owns its descriptor; the kernel keeps the program while it is attached, too.
 * Use after `dispose` is LOADER_DISPOSED.
 */
export class LoadedProgram implements Disposable {
  readonly name: string
  readonly section: string
  /** Kernel spelling in lower case: `tracepoint`. */
  readonly type: string | undefined
  readonly attachType: string | undefined
  /** Text after the section prefix's first `/`. */
  readonly attachTo: string | undefined
  /** The verifier's log, where the option `logLevel` asked for it; else empty. */
  readonly log: string
  readonly #sys: Sys
  readonly #fd: number
  readonly #usdtSpecs: () => UsdtSpecs | undefined
  #disposed = false

  /** Takes `fd` over; made by the loader. */
  constructor(
    sys: Sys,
    fd: number,
    spec: ProgramSpec,
    log: string,
    usdtSpecs: () => UsdtSpecs | undefined = () => undefined,
  ) {
    this.name = spec.name
    this.section = spec.section
    this.type = spec.type
    this.attachType = spec.attachType
    this.attachTo = spec.attachTo
    this.log = log
    this.#sys = sys
    this.#fd = fd
    this.#usdtSpecs = usdtSpecs
  }

  /** The descriptor; it stays this program's own. */
  get fd(): number {
    if (this.#disposed) throw errors.LOADER_DISPOSED({ what: `program ${this.name}` })
    return this.#fd
  }

  /**
   * Attaches the program where its section name says, or to `options.target`. The caller owns the link, which
   * outlives this object and its program. Throws `LINK_…`.
   */
  attach(options: AttachOptions = {}): Link {
    const { fd, name, section, type, attachType, attachTo } = this
    const specs = /^usdt(?:\.s)?(?:\/|$)/.test(section) ? this.#usdtSpecs() : undefined
    const own = specs === undefined ? options : { usdtSpecs: specs, ...options }
    return attach(this.#sys, { fd, name, section, type, attachType, attachTo }, own)
  }

  /** What the kernel says about it. Throws `SyscallError`. */
  info(): ProgramInfo {
    const { info, arrays } = progGetInfo(this.#sys, this.fd, ['map_ids'])
    const ids = arrays.get('map_ids') ?? new Uint8Array(0)
    const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength)
    return {
      id: info.id,
      type: progTypes.format(info.type),
      name: textUntilNul(info.name),
      tag: hexBytes(info.tag).replaceAll(' ', ''),
      mapIds: Array.from({ length: Math.floor(ids.length / 4) }, (_, i) => view.getUint32(i * 4, true)),
      verifiedInsns: info.verified_insns,
    }
  }

  /** Closes the descriptor. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#sys.close(this.#fd)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
