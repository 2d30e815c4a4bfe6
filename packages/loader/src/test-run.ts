import { progTestRun, SyscallError } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { testRunFlags } from '@tsbpf/uapi'
import type { TestRunFlagName } from '@tsbpf/uapi'
import { errors } from './errors.ts'

/** What a program is run on. What does not fit its type is refused by the kernel. */
export interface TestRunOptions {
  /** The packet: a frame of at least 14 bytes for programs of sockets, tc and XDP. */
  readonly data?: Uint8Array
  /**
   * The context's bytes, as the kernel has the struct: `struct __sk_buff`, `struct xdp_md`, `struct bpf_sk_lookup`; up to
   * twelve arguments of 64 bits for raw tracepoints; what it likes for programs of type syscall.
   */
  readonly context?: Uint8Array
  /** Bytes by which a program may let the packet grow; 256 unless given. */
  readonly growth?: number
  /** Runs in a row, of which the mean time is told; 1 unless given. For programs that take a packet. */
  readonly repeat?: number
  /** The processor to run on, for raw tracepoints (Linux 5.10). */
  readonly cpu?: number
  /** `xdp_live_frames` sends packets on (Linux 5.18), `skb_checksum_complete` sets their checksum (Linux 6.11). */
  readonly flags?: readonly Exclude<TestRunFlagName, 'run_on_cpu'>[]
  /** Packets at a time with `xdp_live_frames`; 64 unless given. */
  readonly batchSize?: number
}

/** What a run of a program has left. */
export interface TestRunResult {
  /** What the program returned: 32 bits, unsigned. */
  readonly returnValue: number
  /** Mean time of a run in nanoseconds, 0 for programs that take no packet. */
  readonly duration: number
  /** The packet after the run, flow keys for flow dissectors; `undefined` where there was none, or the type gives none back. */
  readonly data: Uint8Array | undefined
  /** The context after the run; `undefined` where there was none, or the type gives none back. */
  readonly context: Uint8Array | undefined
}

/** How long a run of a program takes, in nanoseconds. */
export interface BenchmarkResult {
  /** Of the rounds' means. */
  readonly median: number
  readonly least: number
  readonly most: number
  readonly rounds: number
  /** Runs of each round. */
  readonly repeat: number
}

const skbTypes = [
  'socket_filter',
  'sched_cls',
  'sched_act',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'lwt_seg6local',
]
/** Types that give back the packet, and the context (net/bpf/test_run.c). */
const givesData = new Set([...skbTypes, 'xdp', 'flow_dissector'])
const givesContext = new Set([...skbTypes, 'xdp', 'sk_lookup'])

interface Runnable {
  readonly fd: number
  readonly name: string
  readonly type: string | undefined
}

/** See `LoadedProgram.testRun`. */
export function testRun(sys: Sys, program: Runnable, options: TestRunOptions): TestRunResult {
  const { data, growth = 256, repeat, cpu, flags = [], batchSize } = options
  const { type = '' } = program
  const live = flags.includes('xdp_live_frames')
  // The kernel writes the context of a program of type syscall where it has read it.
  const context = options.context?.slice()
  const dataOut = data && givesData.has(type) && !live ? new Uint8Array(data.length + growth) : undefined
  const contextOut = context && givesContext.has(type) && !live ? new Uint8Array(context.length) : undefined
  const bits = [...flags, ...(cpu === undefined ? [] : ['run_on_cpu' as const])]
  try {
    const { retval, duration, dataSizeOut, ctxSizeOut } = progTestRun(sys, {
      prog_fd: program.fd,
      flags: bits.reduce((sum, flag) => sum | testRunFlags.value(flag), 0),
      ...(data && { data_in: data }),
      ...(dataOut && { data_out: dataOut }),
      ...(context && { ctx_in: context }),
      ...(contextOut && { ctx_out: contextOut }),
      ...(repeat !== undefined && { repeat }),
      ...(cpu !== undefined && { cpu }),
      ...(batchSize !== undefined && { batch_size: batchSize }),
    })
    return {
      returnValue: retval,
      duration,
      data: dataOut?.subarray(0, dataSizeOut),
      context: type === 'syscall' ? context : contextOut?.subarray(0, ctxSizeOut),
    }
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errnoName !== 'ENOTSUPP') throw error
    throw errors.LOADER_NO_TEST_RUN({ program: program.name, type }, { cause: error })
  }
}

/** See `LoadedProgram.benchmark`. */
export function benchmark(
  sys: Sys,
  program: Runnable,
  options: TestRunOptions & { readonly rounds?: number },
): BenchmarkResult {
  const { rounds = 5, repeat = 100_000, ...rest } = options
  const times = Array.from({ length: Math.max(rounds, 1) }, () => {
    return testRun(sys, program, { ...rest, repeat }).duration
  }).sort((a, b) => a - b)
  const at = (index: number): number => times[index] ?? 0
  return {
    median: at(times.length >> 1),
    least: at(0),
    most: at(times.length - 1),
    rounds: times.length,
    repeat,
  }
}
