import type { AttachTypeName } from '@tsbpf/uapi'
import type { IteratorOptions } from './iterator.ts'
import type { AttachableProgram } from './link.ts'
import type { NetfilterOptions } from './netfilter.ts'
import type { OrderOptions } from './order.ts'
import type { PerfSamplingOptions } from './perf-sampling.ts'
import type { TcOptions } from './tc.ts'
import type { UprobeMultiOptions } from './uprobe-multi.ts'
import type { UprobeOptions } from './uprobe.ts'
import type { UsdtSpecs } from './usdt-specs.ts'
import type { XdpOptions } from './xdp.ts'

/** Options of {@link attach}: where, and what the kind of attachment takes; what it does not take has no effect. */
export interface AttachOptions
  extends
    OrderOptions,
    IteratorOptions,
    NetfilterOptions,
    Omit<PerfSamplingOptions, 'pid'>,
    Omit<UprobeMultiOptions, 'retprobe' | 'session'>,
    Omit<UprobeOptions, 'retprobe'>,
    XdpOptions {
  /** Attach here instead of where the section name says. */
  readonly target?: string
  /** For a program whose section name leaves it open (`cgroup/skb`). */
  readonly attachType?: AttachTypeName
  /** The sockmap or sockhash of a program for sockets. */
  readonly map?: { readonly fd: number; readonly name: string }
  /** Descriptor of the socket of a socket filter or of a group that shares a port. */
  readonly socket?: number
  /** Where a USDT program looks up arguments; what the loader loaded knows its own. */
  readonly usdtSpecs?: UsdtSpecs
  /** For traffic control without tcx: the direction and place of the filter. */
  readonly tc?: TcOptions
}

/** What is to be attached: a program with what its section name says. */
export interface SectionProgram extends AttachableProgram {
  readonly type: string | undefined
  readonly attachType: string | undefined
  readonly attachTo: string | undefined
  /** The section name; kinds of the type `kprobe` differ only in it. */
  readonly section: string
}
