import { nulTerminated } from '@tsbpf/base'
import { linux, perfEventAttr } from '@tsbpf/uapi'
import { failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'
import { attachPerfEvent } from './perf-event.ts'
import { probeUnit } from './pmu.ts'
import { refused } from './refused.ts'

/** Options of {@link attachKprobe}. */
export interface KprobeOptions {
  /** Run when the function returns, not when it is entered. */
  readonly retprobe?: boolean
  /** What `bpf_get_attach_cookie` gives the program (kernel 5.15). */
  readonly cookie?: bigint
}

/** A function of the kernel or of a module and an offset in it, or an address. */
const shape = /^(?:([A-Za-z_.$][\w.$]*)(?:\+(0x[\da-fA-F]{1,8}|\d{1,9}))?|(0x[\da-fA-F]{1,16}))$/

/**
 * Attaches a program to the entry or return of a kernel function by a kprobe. Kernel 4.17; a link from 5.15 on.
 *
 * `target` is a function, with an offset in bytes where it is not the entry (`do_unlinkat+0x10`), or an address
 * (`0xffff…`). A function that several places of the kernel have by that name is refused (EADDRNOTAVAIL): give the
 * address. The attachment ends with the process. Needs CAP_PERFMON and CAP_BPF.
 * Throws LINK_BAD_TARGET, LINK_NO_PROBES, LINK_UNKNOWN_FUNCTION, LINK_AMBIGUOUS_FUNCTION, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachKprobe } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachKprobe(nativeSys(), { fd: 7, name: 'on_unlink' }, 'do_unlinkat', { retprobe: true })
 * ```
 */
export function attachKprobe(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: KprobeOptions = {},
): Link {
  const { retprobe = false, cookie } = options
  const named = { program: program.name, target }
  const match = shape.exec(target)
  if (match === null) {
    const expected =
      'a kernel function such as do_unlinkat, one with an offset (do_unlinkat+8), or an address (0xffff…)'
    throw errors.LINK_BAD_TARGET({ ...named, expected })
  }
  const [, name, offset = '0', address] = match
  if (retprobe && Number(offset) !== 0) {
    throw errors.LINK_BAD_TARGET({
      ...named,
      expected: 'no offset, because it is the return of the function',
    })
  }
  const unit = probeUnit(sys, program, 'kprobe')
  const attr = perfEventAttr.encode(
    {
      type: unit.type,
      size: perfEventAttr.size,
      config: retprobe ? 1n << BigInt(unit.returnBit) : 0n,
      probe_offset: address === undefined ? BigInt(offset) : BigInt(address),
    },
    true,
  )
  const pointers =
    name === undefined ? [] : [{ at: perfEventAttr.offsets.kprobe_func, buffer: nulTerminated(name) }]
  const perfFd = sys.perfEventOpen(attr, -1, 0, -1, linux.PERF_FLAG_FD_CLOEXEC, pointers)
  if (perfFd === failure('ENOENT')) throw errors.LINK_UNKNOWN_FUNCTION({ ...named, where: 'the kernel' })
  if (perfFd === failure('EADDRNOTAVAIL')) throw errors.LINK_AMBIGUOUS_FUNCTION(named)
  if (perfFd < 0) {
    throw refused(sys, { program, target, step: 'perf_event_open', wants: ['CAP_PERFMON'] }, perfFd)
  }
  return attachPerfEvent(sys, { kind: retprobe ? 'kretprobe' : 'kprobe', program, target, perfFd, cookie })
}
