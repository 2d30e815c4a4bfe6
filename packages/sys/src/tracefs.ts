import { linux } from '@tsbpf/uapi'
import { errnoName, failure } from './errno.ts'
import { errors } from './errors.ts'
import { Fd } from './fd.ts'
import type { Sys } from './sys.ts'

/** Where distributions mount it; the second is there for the sake of old programs and needs debugfs. */
const mountPoints = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']

/** Only a mounted tracefs has it; the mount point is there without. */
const landmark = 'events'

function openMounted(sys: Sys, path: string): Fd | number {
  const fd = sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY)
  if (fd < 0) return fd
  const inside = sys.openat(fd, landmark, linux.O_RDONLY)
  if (inside < 0) {
    sys.close(fd)
    return inside
  }
  sys.close(inside)
  return new Fd(sys, fd, 'tracefs')
}

/** A mount of tracefs that has no place in the file system and is gone when its descriptor is closed (Linux 5.2). */
function openDetached(sys: Sys): Fd | { readonly call: string; readonly result: number } {
  const context = sys.fsopen('tracefs', 0)
  if (context < 0) return { call: 'fsopen', result: context }
  try {
    const created = sys.fsconfig(context, linux.FSCONFIG_CMD_CREATE, undefined, undefined)
    if (created < 0) return { call: 'fsconfig', result: created }
    const mount = sys.fsmount(context, 0, linux.MOUNT_ATTR_NOSUID)
    return mount < 0 ? { call: 'fsmount', result: mount } : new Fd(sys, mount, 'tracefs')
  } finally {
    sys.close(context)
  }
}

/**
 * A directory of tracefs, for `openat`: where it is mounted, else a mount of its own that leaves no mount point behind
 * (that needs CAP_SYS_ADMIN and Linux 5.2). The caller disposes of it.
 *
 * Throws `SYS_TRACEFS`, whose hint says which permission or capability is missing.
 *
 * @example
 * ```ts
 * import { readFile, tracefs } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * const sys = nativeSys()
 * using dir = tracefs(sys)
 * console.log(readFile(sys, 'events/raw_syscalls/sys_enter/id', { dirFd: dir.value }).length > 0) // true
 * ```
 */
export function tracefs(sys: Sys): Fd {
  const tried: string[] = []
  let denied: string | undefined
  for (const path of mountPoints) {
    const opened = openMounted(sys, path)
    if (typeof opened !== 'number') return opened
    tried.push(`${path}: ${errnoName(opened)}`)
    if (opened === failure('EACCES') || opened === failure('EPERM')) denied ??= path
  }
  const detached = openDetached(sys)
  if (detached instanceof Fd) return detached
  tried.push(`${detached.call}: ${errnoName(detached.result)}`)
  throw errors.SYS_TRACEFS({ tried, denied, errno: errnoName(detached.result) })
}
