import { linux } from '@tsbpf/uapi'
import type { Sys } from '@tsbpf/sys'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { refused } from './refused.ts'

function attach(
  sys: Sys,
  program: AttachableProgram,
  socket: number,
  options: { readonly kind: string; readonly attach: number; readonly detach: number },
): Link {
  const target = `socket ${socket}`
  const value = new Uint8Array(4)
  const set = (fd: number): void => {
    new DataView(value.buffer).setInt32(0, fd, true)
    const result = sys.setsockopt(socket, linux.SOL_SOCKET, options.attach, value)
    const step = 'setsockopt'
    if (result < 0) throw refused(sys, { program, target, step, wants: ['CAP_BPF'] }, result)
  }
  set(program.fd)
  return new Link(sys, {
    kind: options.kind,
    program: program.name,
    target,
    linkFd: undefined,
    replace: (next) => {
      set(next.fd)
    },
    undo: () => {
      sys.setsockopt(socket, linux.SOL_SOCKET, options.detach, value)
    },
  })
}

/**
 * Attaches a socket filter to a socket of this process (SO_ATTACH_BPF, kernel 3.19): it says how many bytes of each
 * packet the socket gets. The attachment ends with the socket; the kernel has no link for it.
 * Throws LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachSocketFilter } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachSocketFilter(nativeSys(), { fd: 7, name: 'only_dns' }, socketFd)
 * ```
 */
export function attachSocketFilter(sys: Sys, program: AttachableProgram, socket: number): Link {
  return attach(sys, program, socket, {
    kind: 'socket_filter',
    attach: linux.SO_ATTACH_BPF,
    detach: linux.SO_DETACH_BPF,
  })
}

/**
 * Attaches a program that chooses a socket to the group of sockets that share a port with this one by SO_REUSEPORT
 * (SO_ATTACH_REUSEPORT_EBPF; a `sk_reuseport` program kernel 4.19, a socket filter 4.5). It ends with the group.
 * Throws LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachReuseport } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachReuseport(nativeSys(), { fd: 7, name: 'choose' }, socketFd)
 * ```
 */
export function attachReuseport(sys: Sys, program: AttachableProgram, socket: number): Link {
  return attach(sys, program, socket, {
    kind: 'sk_reuseport',
    attach: linux.SO_ATTACH_REUSEPORT_EBPF,
    detach: linux.SO_DETACH_REUSEPORT_BPF,
  })
}
