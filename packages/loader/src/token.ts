import { isTsbpfError } from '@tsbpf/base'
import { checked, tokenCreate } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from './errors.ts'

/**
 * Makes a BPF token of a BPF file system that an administrator has delegated to this user namespace (kernel 6.9); the
 * caller owns the descriptor. Throws LOADER_TOKEN.
 */
export function createToken(sys: Sys, path: string): number {
  try {
    const folder = checked(sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY), 'openat', undefined, path)
    try {
      return tokenCreate(sys, folder)
    } finally {
      sys.close(folder)
    }
  } catch (cause) {
    if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
    throw errors.LOADER_TOKEN({ path, errno: String(cause.context['errnoName']) }, { cause })
  }
}
