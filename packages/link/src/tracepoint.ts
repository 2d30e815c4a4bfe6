import { perfEventAttr, perfTypes, linux } from '@tsbpf/uapi'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'
import { attachPerfEvent } from './perf-event.ts'
import { refused } from './refused.ts'
import { tracepointId } from './tracepoint-id.ts'

/** Options of {@link attachTracepoint}. */
export interface TracepointOptions {
  /** What `bpf_get_attach_cookie` gives the program (kernel 5.15). */
  readonly cookie?: bigint
}

/** Splits `category/name` (or `category:name`, as tracefs lists it) and refuses what must not reach a path. */
function parseTracepoint(
  program: string,
  target: string,
): { readonly category: string; readonly name: string } {
  const match = /^([A-Za-z_][\w-]*)[/:]([A-Za-z_][\w-]*)$/.exec(target)
  if (match === null) {
    throw errors.LINK_BAD_TARGET({
      program,
      target,
      expected: 'category/name, such as raw_syscalls/sys_enter',
    })
  }
  return { category: match[1] ?? '', name: match[2] ?? '' }
}

/**
 * Attaches a program to a tracepoint of tracefs: `raw_syscalls/sys_enter`. Kernel 4.7; a link from 5.15.
 *
 * Needs CAP_PERFMON (CAP_SYS_ADMIN before 5.8) and read access to tracefs. The attachment ends with the process.
 * Throws LINK_BAD_TARGET, LINK_UNKNOWN_TRACEPOINT, LINK_TRACEFS, LINK_DENIED, LINK_REFUSED, LINK_UNSUPPORTED_OPTION.
 *
 * @example
 * ```ts no-run
 * import { attachTracepoint } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachTracepoint(nativeSys(), { fd: 7, name: 'count_calls' }, 'raw_syscalls/sys_enter')
 * console.log(link.info().type) // perf_event
 * ```
 */
export function attachTracepoint(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: TracepointOptions = {},
): Link {
  const { category, name } = parseTracepoint(program.name, target)
  const id = tracepointId(sys, { program: program.name, target, category, name })
  const attr = perfEventAttr.encode(
    { type: perfTypes.value('tracepoint'), size: perfEventAttr.size, config: BigInt(id) },
    true,
  )
  // One processor is enough to name the event: its program runs on all of them.
  const perfFd = sys.perfEventOpen(attr, -1, 0, -1, linux.PERF_FLAG_FD_CLOEXEC)
  if (perfFd < 0) {
    throw refused(sys, { program, target, step: 'perf_event_open', wants: ['CAP_PERFMON'] }, perfFd)
  }
  return attachPerfEvent(sys, { kind: 'tracepoint', program, target, perfFd, cookie: options.cookie })
}
