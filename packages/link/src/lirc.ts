import { attachTypes, linux } from '@tsbpf/uapi'
import { errnoName, progAttach, progDetach } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { heldObject } from './held-object.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { refused, resultOf } from './refused.ts'

/**
 * Attaches a decoder to an infrared receiver, such as `/dev/lirc0`. Kernel 4.18. The kernel has no link for it: the
 * attachment outlives the process. Needs CAP_BPF and access to the device. Throws LINK_OPEN, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachLirc } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachLirc(nativeSys(), { fd: 7, name: 'decode' }, '/dev/lirc0')
 * ```
 */
export function attachLirc(sys: Sys, program: AttachableProgram, target: string): Link {
  const device = sys.openat(linux.AT_FDCWD, target, linux.O_RDONLY)
  if (device < 0) {
    throw errors.LINK_OPEN({ program: program.name, target, path: target, errno: errnoName(device) })
  }
  const place = { target_fd: device, attach_type: attachTypes.value('lirc_mode2') }
  try {
    progAttach(sys, { ...place, attach_bpf_fd: program.fd })
  } catch (error) {
    sys.close(device)
    throw refused(
      sys,
      { program, target, step: 'BPF_PROG_ATTACH', wants: ['CAP_BPF'] },
      resultOf(error),
      error,
    )
  }
  const held = heldObject(sys, 'prog', program.fd)
  return new Link(sys, {
    kind: 'lirc_mode2',
    program: program.name,
    target,
    linkFd: undefined,
    outlivesProcess: true,
    undo: () => {
      progDetach(sys, { ...place, attach_bpf_fd: held.fd })
    },
    release: () => {
      held.close()
      sys.close(device)
    },
  })
}
