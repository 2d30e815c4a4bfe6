import { nulTerminated } from '@tsbpf/base'
import { linux, objAttr } from '@tsbpf/uapi'
import { demand, pointerTo } from './command.ts'
import { failure } from './errno.ts'
import type { Sys } from './sys.ts'
import { checked } from './syscall-error.ts'

/** Bytes of a path with its NUL, PATH_MAX of include/uapi/linux/limits.h: a longer one would be cut. */
const longestPath = 4096

/** Gives an object a path in a BPF file system, which keeps it alive (BPF_OBJ_PIN, Linux 4.4). Throws `SyscallError`. */
export function objPin(sys: Sys, path: string, fd: number): void {
  demand(sys, 'obj_pin', objAttr, { bpf_fd: fd }, [pointerTo(objAttr, 'pathname', nulTerminated(path))], path)
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
