import { attach } from '@tsbpf/link'
import type { AttachOptions, Link, UsdtSpecs } from '@tsbpf/link'
import type { ProgramSpec } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { programInfo } from './introspect/program-info.ts'
import type { ProgramInfo } from './introspect/program-info.ts'
import { benchmark, testRun } from './test-run.ts'
import type { BenchmarkResult, TestRunOptions, TestRunResult } from './test-run.ts'

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

  /**
   * Runs the program on given input, attached nowhere (BPF_PROG_TEST_RUN, Linux 4.12; raw tracepoints 5.10, sk_lookup
   * and syscall 5.14, netfilter 6.4). The bytes that come back are the caller's. Needs CAP_NET_ADMIN or CAP_PERFMON, as
   * its type does. Throws LOADER_NO_TEST_RUN where the kernel does not run programs of this type, `SyscallError` EINVAL for input that
   * does not fit it, ENOSPC where the packet outgrew `growth`.
   *
   * @example
   * ```ts no-run
   * const { returnValue, data } = bpf.program('drop_udp').testRun({ data: new Uint8Array(64) })
   * ```
   */
  testRun(options: TestRunOptions = {}): TestRunResult {
    const { fd, name, type } = this
    return testRun(this.#sys, { fd, name, type }, options)
  }

  /**
   * Measures how long the program takes on given input, inside the kernel: `rounds` times (5 unless given) the mean of
   * `repeat` runs (100,000 unless given). It blocks this thread meanwhile. For types that take a packet; throws as `testRun`.
   */
  benchmark(options: TestRunOptions & { readonly rounds?: number } = {}): BenchmarkResult {
    const { fd, name, type } = this
    return benchmark(this.#sys, { fd, name, type }, options)
  }

  /** What the kernel says about it. Throws `SyscallError`. */
  info(): ProgramInfo {
    return programInfo(this.#sys, this.fd)
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
