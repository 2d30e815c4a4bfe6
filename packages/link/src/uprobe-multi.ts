import { nulTerminated } from '@tsbpf/base'
import { symbolFileOffset, symbolTypes } from '@tsbpf/elf'
import { attachTypes, linkCreateAttr, uprobeMultiFlags } from '@tsbpf/uapi'
import type { AttrPointer, Sys } from '@tsbpf/sys'
import { findBinary, functionOffset, openBinary } from './binary-file.ts'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import { matcherOf } from './glob.ts'
import { maxProbes } from './limits.ts'
import type { AttachableProgram, Link } from './link.ts'

/** Options of {@link attachUprobeMulti}. */
export interface UprobeMultiOptions {
  /** Run when the functions return, not when they are entered. */
  readonly retprobe?: boolean
  /** Run at both, and let the entry say whether the return is wanted (a program loaded for it; kernel 6.13). */
  readonly session?: boolean
  /** Only in this process; in all unless given. */
  readonly pid?: number
  /** What `bpf_get_attach_cookie` gives the program, one for each place. */
  readonly cookies?: readonly bigint[]
  /** Offsets in the file of counters that say whether somebody listens, one for each place; 0 for none. */
  readonly counterOffsets?: readonly number[]
}

function places(
  sys: Sys,
  program: AttachableProgram,
  target: { readonly path: string; readonly functions: string | readonly string[] | readonly number[] },
  named: string,
): readonly number[] {
  const { functions, path } = target
  if (typeof functions !== 'string' && functions.every((one) => typeof one === 'number')) return functions
  const elf = openBinary(sys, program, named, path)
  if (typeof functions !== 'string') {
    return functions.map((one) => (typeof one === 'number' ? one : functionOffset(program, named, elf, one)))
  }
  const matches = matcherOf(functions)
  const found = new Set<number>()
  for (const symbol of [...elf.symbols, ...elf.dynamicSymbols]) {
    if (!matches(symbol.name)) continue
    const offset = symbol.type === symbolTypes.value('func') ? symbolFileOffset(elf, symbol) : undefined
    if (offset !== undefined) found.add(offset)
  }
  if (found.size === 0)
    throw errors.LINK_UNKNOWN_FUNCTION({ program: program.name, target: named, where: path })
  return [...found]
}

/**
 * Attaches a program to many places of one executable or shared library at once. Kernel 6.6; a session 6.13.
 *
 * `target.path` is a path, or the name of a library or program; `target.functions` is a list of functions or of
 * offsets in the file, or a pattern with `*` and `?`. The program must have been loaded for `trace_uprobe_multi`, or
 * `trace_uprobe_session` for a session. The attachment ends with the process. Needs CAP_PERFMON and CAP_BPF.
 * Throws LINK_BAD_TARGET, LINK_NO_BINARY, LINK_UNKNOWN_FUNCTION, `ELF_…`, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachUprobeMulti } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * const target = { path: 'libc.so.6', functions: ['malloc', 'free'] }
 * using link = attachUprobeMulti(nativeSys(), { fd: 7, name: 'on_heap' }, target, { pid: process.pid })
 * ```
 */
export function attachUprobeMulti(
  sys: Sys,
  program: AttachableProgram,
  target: { readonly path: string; readonly functions: string | readonly string[] | readonly number[] },
  options: UprobeMultiOptions = {},
): Link {
  const { retprobe = false, session = false, pid = 0, cookies, counterOffsets } = options
  const { functions } = target
  const named = `${target.path}:${typeof functions === 'string' ? functions : functions.join(' ')}`
  const path = findBinary(sys, program, named, target.path)
  const offsets = places(sys, program, { path, functions }, named)
  const wrong = (list: readonly unknown[] | undefined): boolean =>
    list !== undefined && list.length !== offsets.length
  if (offsets.length === 0 || offsets.length > maxProbes || wrong(cookies) || wrong(counterOffsets)) {
    const expected = `1 to ${maxProbes} places, and as many cookies and counters, not ${offsets.length}`
    throw errors.LINK_BAD_TARGET({ program: program.name, target: named, expected })
  }
  const at = linkCreateAttr.offsets
  const words = (list: readonly (number | bigint)[]): Uint8Array =>
    new Uint8Array(BigUint64Array.from(list, BigInt).buffer)
  const pointers: AttrPointer[] = [
    { at: at['uprobe_multi.path'], buffer: nulTerminated(path) },
    { at: at['uprobe_multi.offsets'], buffer: words(offsets) },
  ]
  if (cookies !== undefined) pointers.push({ at: at['uprobe_multi.cookies'], buffer: words(cookies) })
  if (counterOffsets !== undefined) {
    pointers.push({ at: at['uprobe_multi.ref_ctr_offsets'], buffer: words(counterOffsets) })
  }
  return createLink(sys, {
    kind: session ? 'uprobe_session' : retprobe ? 'uretprobe_multi' : 'uprobe_multi',
    program,
    target: named,
    wants: ['CAP_PERFMON', 'CAP_BPF'],
    fields: {
      attach_type: attachTypes.value(session ? 'trace_uprobe_session' : 'trace_uprobe_multi'),
      'uprobe_multi.cnt': offsets.length,
      'uprobe_multi.flags': retprobe ? uprobeMultiFlags.value('return') : 0,
      'uprobe_multi.pid': pid,
    },
    pointers,
  })
}
