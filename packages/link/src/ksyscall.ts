import { isTsbpfError } from '@tsbpf/base'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { attachKprobe } from './kprobe.ts'
import type { KprobeOptions } from './kprobe.ts'
import type { AttachableProgram, Link } from './link.ts'

/** What the kernel calls the function of a system call: by architecture since 4.17, and before. */
const prefixes = ['__x64_sys_', '__arm64_sys_', '__se_sys_', 'sys_']

/**
 * Attaches a program to the entry or return of a system call by a kprobe on the kernel's function for it. Kernel 4.17.
 *
 * `target` is the call's name as system programmers know it: `unlinkat`. The attachment ends with the process.
 * Throws LINK_BAD_TARGET, and what {@link attachKprobe} throws.
 *
 * @example
 * ```ts no-run
 * import { attachKsyscall } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachKsyscall(nativeSys(), { fd: 7, name: 'on_unlink' }, 'unlinkat')
 * ```
 */
export function attachKsyscall(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: KprobeOptions = {},
): Link {
  if (!/^\w+$/.test(target)) {
    throw errors.LINK_BAD_TARGET({
      program: program.name,
      target,
      expected: 'a system call such as unlinkat',
    })
  }
  let missing: unknown
  for (const prefix of prefixes) {
    try {
      return attachKprobe(sys, program, prefix + target, options)
    } catch (error) {
      if (!isTsbpfError(error, 'LINK_UNKNOWN_FUNCTION')) throw error
      missing ??= error
    }
  }
  throw errors.LINK_UNKNOWN_FUNCTION(
    { program: program.name, target, where: 'the kernel' },
    { cause: missing },
  )
}
