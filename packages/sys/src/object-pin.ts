import { nulTerminated } from '@tsbpf/base'
import { objAttr } from '@tsbpf/uapi'
import { demand, pointerTo } from './command.ts'
import type { Sys } from './sys.ts'

/** Gives an object a path in a BPF file system, which keeps it alive (BPF_OBJ_PIN, Linux 4.4). Throws `SyscallError`. */
export function objPin(sys: Sys, path: string, fd: number): void {
  demand(sys, 'obj_pin', objAttr, { bpf_fd: fd }, [pointerTo(objAttr, 'pathname', nulTerminated(path))], path)
}

/** Opens a pinned object and returns its descriptor, which the caller closes (BPF_OBJ_GET). Throws `SyscallError`. */
export function objGet(sys: Sys, path: string, fileFlags = 0): number {
  const pointers = [pointerTo(objAttr, 'pathname', nulTerminated(path))]
  return demand(sys, 'obj_get', objAttr, { file_flags: fileFlags }, pointers, path).result
}
