import { nulTerminated } from '@tsbpf/base'
import { linux, objAttr } from '@tsbpf/uapi'
import { demand, pointerTo } from './command.ts'
import { failure } from './errno.ts'
import { objGetInfo } from './object-info.ts'
import type { Sys } from './sys.ts'
import { checked } from './syscall-error.ts'

/** Bytes of a path with its NUL, PATH_MAX of include/uapi/linux/limits.h: a longer one would be cut. */
const longestPath = 4096

/** Options of {@link objPin}. */
export interface PinOptions {
  /** Remove the path again when this process ends, killed by SIGKILL excepted (`atEnd` of `Sys`). It stays unless given. */
  readonly untilEnd?: true
}

/** Gives an object a path in a BPF file system, which keeps it alive (BPF_OBJ_PIN, Linux 4.4). Throws `SyscallError`. */
export function objPin(sys: Sys, path: string, fd: number, options: PinOptions = {}): void {
  demand(sys, 'obj_pin', objAttr, { bpf_fd: fd }, [pointerTo(objAttr, 'pathname', nulTerminated(path))], path)
  if (options.untilEnd !== true) return
  const pinned = identity(sys, fd)
  sys.atEnd?.(() => {
    let found: number
    try {
      found = objGet(sys, path)
    } catch {
      return // Somebody has removed it already.
    }
    const same = identity(sys, found) === pinned
    sys.close(found)
    if (same) objUnpin(sys, path)
  })
}

/** What tells an object from all others of its kind: all kinds have their type and id first in what the kernel says. */
function identity(sys: Sys, fd: number): string {
  const info = new Uint8Array(8)
  objGetInfo(sys, fd, info)
  return info.join()
}

/** Removes the path of a pinned object by unlinkat(2); what else holds the object keeps it. Throws `SyscallError`. */
export function objUnpin(sys: Sys, path: string): void {
  const fits = nulTerminated(path).length <= longestPath
  const result = fits ? sys.unlinkat(linux.AT_FDCWD, path, 0) : failure('ENAMETOOLONG')
  checked(result, 'unlinkat', undefined, path)
}

/** Opens a pinned object and returns its descriptor, which the caller closes (BPF_OBJ_GET). Throws `SyscallError`. */
export function objGet(sys: Sys, path: string, fileFlags = 0): number {
  const pointers = [pointerTo(objAttr, 'pathname', nulTerminated(path))]
  return demand(sys, 'obj_get', objAttr, { file_flags: fileFlags }, pointers, path).result
}
