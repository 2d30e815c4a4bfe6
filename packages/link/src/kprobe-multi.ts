import { nulTerminated } from '@tsbpf/base'
import { attachTypes, kprobeMultiFlags, linkCreateAttr } from '@tsbpf/uapi'
import { failure, readFile, tracefs } from '@tsbpf/sys'
import type { AttrPointer, Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import { matcherOf } from './glob.ts'
import { maxFunctionListBytes, maxProbes } from './limits.ts'
import type { AttachableProgram, Link } from './link.ts'

/** Options of {@link attachKprobeMulti}. */
export interface KprobeMultiOptions {
  /** Run when the functions return, not when they are entered. */
  readonly retprobe?: boolean
  /** Run at both, and let the entry say whether the return is wanted (a program loaded for it; kernel 6.10). */
  readonly session?: boolean
  /** What `bpf_get_attach_cookie` gives the program, one for each function of a list. */
  readonly cookies?: readonly bigint[]
}

/** The functions that the kernel can trace and that match, by tracefs. */
function functionsMatching(sys: Sys, program: AttachableProgram, pattern: string): readonly string[] {
  using dir = tracefs(sys)
  const bytes = readFile(sys, 'available_filter_functions', { dirFd: dir.value, limit: maxFunctionListBytes })
  const matches = matcherOf(pattern)
  const found = new Set<string>()
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    // A function of a module has the module's name behind it.
    const [name = ''] = line.split(/[ \t]/, 1)
    if (name !== '' && matches(name)) found.add(name)
  }
  if (found.size === 0)
    throw errors.LINK_UNKNOWN_FUNCTION({ program: program.name, target: pattern, where: 'the kernel' })
  if (found.size > maxProbes) {
    const expected = `a pattern of at most ${maxProbes} functions, not of ${found.size}`
    throw errors.LINK_BAD_TARGET({ program: program.name, target: pattern, expected })
  }
  return [...found]
}

/**
 * Attaches a program to many kernel functions at once. Kernel 5.18; a session 6.10.
 *
 * `target` is a list of functions, or a pattern with `*` and `?` that tracefs resolves. The program must have been loaded for
 * `trace_kprobe_multi`, or `trace_kprobe_session` for a session. The attachment ends with the process. Needs CAP_PERFMON and
 * CAP_BPF. Throws LINK_BAD_TARGET, LINK_UNKNOWN_FUNCTION, `SYS_TRACEFS`, LINK_DENIED, LINK_REFUSED (EOPNOTSUPP: the
 * kernel was built without CONFIG_FPROBE).
 *
 * @example
 * ```ts no-run
 * import { attachKprobeMulti } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachKprobeMulti(nativeSys(), { fd: 7, name: 'on_vfs' }, 'vfs_*')
 * ```
 */
export function attachKprobeMulti(
  sys: Sys,
  program: AttachableProgram,
  target: string | readonly string[],
  options: KprobeMultiOptions = {},
): Link {
  const { retprobe = false, session = false, cookies } = options
  const functions = typeof target === 'string' ? functionsMatching(sys, program, target) : target
  const named = typeof target === 'string' ? target : target.join(' ')
  if (functions.length === 0 || (cookies !== undefined && cookies.length !== functions.length)) {
    const expected = 'at least one function, and as many cookies as functions'
    throw errors.LINK_BAD_TARGET({ program: program.name, target: named, expected })
  }
  const names = functions.map((name, i): AttrPointer => ({ at: i * 8, buffer: nulTerminated(name) }))
  const pointers: AttrPointer[] = [
    {
      at: linkCreateAttr.offsets['kprobe_multi.syms'],
      buffer: new Uint8Array(functions.length * 8),
      pointers: names,
    },
  ]
  if (cookies !== undefined) {
    const buffer = new Uint8Array(BigUint64Array.from(cookies).buffer)
    pointers.push({ at: linkCreateAttr.offsets['kprobe_multi.cookies'], buffer })
  }
  return createLink(sys, {
    kind: session ? 'kprobe_session' : retprobe ? 'kretprobe_multi' : 'kprobe_multi',
    program,
    target: named,
    wants: ['CAP_PERFMON', 'CAP_BPF'],
    fields: {
      attach_type: attachTypes.value(session ? 'trace_kprobe_session' : 'trace_kprobe_multi'),
      'kprobe_multi.flags': retprobe ? kprobeMultiFlags.value('return') : 0,
      'kprobe_multi.cnt': functions.length,
    },
    pointers,
    otherwise: (result) => {
      if (result === failure('ESRCH')) {
        throw errors.LINK_UNKNOWN_FUNCTION({ program: program.name, target: named, where: 'the kernel' })
      }
      return undefined
    },
  })
}
