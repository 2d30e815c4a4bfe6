import { nulTerminated } from '@tsbpf/base'
import { linux, perfEventAttr } from '@tsbpf/uapi'
import type { Sys } from '@tsbpf/sys'
import { findBinary, functionOffset, openBinary } from './binary-file.ts'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'
import { attachPerfEvent } from './perf-event.ts'
import { probeUnit } from './pmu.ts'
import { refused } from './refused.ts'

/** Options of {@link attachUprobe}. */
export interface UprobeOptions {
  /** Run when the function returns, not when it is entered. */
  readonly retprobe?: boolean
  /** Only in this process; in all unless given. */
  readonly pid?: number
  /** Offset in the file of a counter that says whether somebody listens, as USDT probes have (kernel 4.20). */
  readonly counterOffset?: number
  /** What `bpf_get_attach_cookie` gives the program (kernel 5.15). */
  readonly cookie?: bigint
}

/** A place in an executable or a shared library. */
export interface UprobePlace {
  /** As it was found. */
  readonly path: string
  /** Bytes from the start of the file. */
  readonly offset: number
}

const expected =
  'a file, a colon, and a function (+ an offset) or an offset: libc.so.6:malloc, /bin/x:main+8, /bin/x:0x1180'

/**
 * Where a target such as `libc.so.6:malloc` is: a file by path or by name, and in it a function, with an offset from
 * its entry, or an offset from the start of the file. Reads the file's symbols only for a function.
 * Throws LINK_BAD_TARGET, LINK_NO_BINARY, LINK_UNKNOWN_FUNCTION, `ELF_…`.
 *
 * @example
 * ```ts
 * import { uprobePlace } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(uprobePlace(nativeSys(), { fd: -1, name: 'example' }, 'libc.so.6:malloc'))
 * ```
 */
export function uprobePlace(sys: Sys, program: AttachableProgram, target: string): UprobePlace {
  const match =
    /^([^\0]+):(?:(0x[\da-fA-F]{1,12}|\d{1,15})|([^\0:+]+)(?:\+(0x[\da-fA-F]{1,8}|\d{1,9}))?)$/.exec(target)
  if (match === null) throw errors.LINK_BAD_TARGET({ program: program.name, target, expected })
  const [, file = '', offset, name = '', more = '0'] = match
  const path = findBinary(sys, program, target, file)
  if (offset !== undefined) return { path, offset: Number(offset) }
  return {
    path,
    offset: functionOffset(program, target, openBinary(sys, program, target, path), name) + Number(more),
  }
}

/**
 * Attaches a program to the entry or return of a function of an executable or shared library, in all processes that
 * run it, or in one. Kernel 4.17; a link from 5.15 on.
 *
 * `target` is as {@link uprobePlace} takes it. The attachment ends with the process. Needs CAP_PERFMON and CAP_BPF.
 * Throws what {@link uprobePlace} throws, LINK_NO_PROBES, LINK_UNSUPPORTED_OPTION, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachUprobe } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachUprobe(nativeSys(), { fd: 7, name: 'on_malloc' }, 'libc.so.6:malloc', { pid: process.pid })
 * ```
 */
export function attachUprobe(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: UprobeOptions = {},
): Link {
  const { retprobe = false, pid = -1, cookie } = options
  const unit = probeUnit(sys, program, 'uprobe')
  const place = uprobePlace(sys, program, target)
  const attr = perfEventAttr.encode(
    {
      type: unit.type,
      size: perfEventAttr.size,
      config:
        (retprobe ? 1n << BigInt(unit.returnBit) : 0n) | counter(program, target, unit.counterShift, options),
      probe_offset: BigInt(place.offset),
    },
    true,
  )
  const pointers = [{ at: perfEventAttr.offsets.uprobe_path, buffer: nulTerminated(place.path) }]
  // For one process any processor, for all processes one of them names the event.
  const perfFd = sys.perfEventOpen(attr, pid, pid < 0 ? 0 : -1, -1, linux.PERF_FLAG_FD_CLOEXEC, pointers)
  if (perfFd < 0) {
    throw refused(sys, { program, target, step: 'perf_event_open', wants: ['CAP_PERFMON'] }, perfFd)
  }
  return attachPerfEvent(sys, { kind: retprobe ? 'uretprobe' : 'uprobe', program, target, perfFd, cookie })
}

function counter(
  program: AttachableProgram,
  target: string,
  shift: number | undefined,
  { counterOffset }: UprobeOptions,
): bigint {
  if (counterOffset === undefined) return 0n
  if (shift === undefined) {
    const option = 'a reference counter'
    throw errors.LINK_UNSUPPORTED_OPTION({ program: program.name, target, option, since: '4.20' })
  }
  return BigInt(counterOffset) << BigInt(shift)
}
