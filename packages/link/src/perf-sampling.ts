import {
  linux,
  perfEventAttr,
  perfEventAttrFlags,
  perfHardwareEvents,
  perfSoftwareEvents,
  perfTypes,
} from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'
import { attachPerfEvent } from './perf-event.ts'
import { refused } from './refused.ts'

/** Options of {@link attachPerfSampling}: when the program runs, and for whom. */
export interface PerfSamplingOptions {
  /** Times a second; 99 unless this or `period` is given. */
  readonly frequency?: number
  /** Every so many events instead. */
  readonly period?: bigint
  /** Only on this processor; on the one that `pid` runs on unless given. */
  readonly cpu?: number
  /** Only in this process; in all on `cpu` unless given. */
  readonly pid?: number
  /** What `bpf_get_attach_cookie` gives the program (kernel 5.15). */
  readonly cookie?: bigint
}

const defaultFrequency = 99n

/** What a machine without such a counter answers. */
const noCounter = new Set([failure('ENOENT'), failure('EOPNOTSUPP'), failure('ENODEV')])

/**
 * Attaches a program to a perf event: it runs at each sample, on one processor or for one process. Kernel 4.9; a link
 * from 5.15 on. For all processors attach it to each.
 *
 * `target` is an event of the kernel by its name in lower case: `cpu_clock`, `page_faults`, `cpu_cycles`. Where this
 * machine has no counter for a hardware event, `cpu_clock` stands in, and the link's `target` says so.
 * Needs CAP_PERFMON. Throws LINK_BAD_TARGET, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachPerfSampling } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachPerfSampling(nativeSys(), { fd: 7, name: 'profile' }, 'cpu_cycles', { cpu: 0, frequency: 49 })
 * console.log(link.target) // cpu_cycles, or: cpu_clock instead of cpu_cycles, which this machine does not count
 * ```
 */
export function attachPerfSampling(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: PerfSamplingOptions = {},
): Link {
  const software = perfSoftwareEvents.byName(target)
  const hardware = perfHardwareEvents.byName(target)
  const event = software ?? hardware
  if (event === undefined) {
    const known = [...perfSoftwareEvents.rows, ...perfHardwareEvents.rows].map(({ name }) => name).join(', ')
    throw errors.LINK_BAD_TARGET({ program: program.name, target, expected: `one of ${known}` })
  }
  const type = software === undefined ? 'hardware' : 'software'
  let perfFd = open(sys, type, event.value, options)
  let named = target
  if (hardware !== undefined && noCounter.has(perfFd)) {
    perfFd = open(sys, 'software', perfSoftwareEvents.value('cpu_clock'), options)
    named = `cpu_clock instead of ${target}, which this machine does not count`
  }
  if (perfFd < 0) {
    throw refused(sys, { program, target, step: 'perf_event_open', wants: ['CAP_PERFMON'] }, perfFd)
  }
  return attachPerfEvent(sys, { kind: 'perf_event', program, target: named, perfFd, cookie: options.cookie })
}

function open(sys: Sys, type: 'hardware' | 'software', event: number, options: PerfSamplingOptions): number {
  const { period, frequency, pid = -1, cpu = pid < 0 ? 0 : -1 } = options
  const attr = perfEventAttr.encode(
    {
      type: perfTypes.value(type),
      size: perfEventAttr.size,
      config: BigInt(event),
      ...(period === undefined
        ? {
            sample_freq: frequency === undefined ? defaultFrequency : BigInt(frequency),
            flags: 1n << BigInt(perfEventAttrFlags.freq.shift),
          }
        : { sample_period: period }),
    },
    true,
  )
  return sys.perfEventOpen(attr, pid, cpu, -1, linux.PERF_FLAG_FD_CLOEXEC)
}
