import { linux } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import { failure } from './errno.ts'
import { maxFileSize } from './limits.ts'
import { checked } from './syscall-error.ts'
import type { Sys } from './sys.ts'

/** Options of {@link readFile}. */
export interface ReadFileOptions {
  /** Directory that a relative `path` starts from; the working directory unless given. */
  readonly dirFd?: number
  /** Most bytes to read; 1 GiB unless given. */
  readonly limit?: number
}

/**
 * A whole file through a door; sized by the file's own size, growing for files that say 0, as those of /proc.
 * Throws `SyscallError`, and `SYS_FILE_TOO_LARGE` for more than `limit` bytes.
 *
 * @example
 * ```ts
 * import { readFile } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(new TextDecoder().decode(readFile(nativeSys(), '/proc/sys/kernel/ostype'))) // Linux
 * ```
 */
export function readFile(sys: Sys, path: string, options: ReadFileOptions = {}): Uint8Array {
  const { dirFd = linux.AT_FDCWD, limit = maxFileSize } = options
  const fd = checked(sys.openat(dirFd, path, linux.O_RDONLY), 'openat', undefined, path)
  try {
    return readOpenFile(sys, fd, path, limit)
  } finally {
    sys.close(fd)
  }
}

/** The rest of an open file; see {@link readFile}. The descriptor stays the caller's. */
export function readOpenFile(sys: Sys, fd: number, path: string, limit: number = maxFileSize): Uint8Array {
  const size = checked(sys.fileSize(fd), 'fstat', undefined, path)
  if (size > limit) throw errors.SYS_FILE_TOO_LARGE({ path, limit })
  // One byte more than said shows the end with the last read.
  let bytes = new Uint8Array(Math.max(size + 1, 4096))
  let length = 0
  for (;;) {
    const count = sys.read(fd, bytes.subarray(length))
    if (count === failure('EINTR')) continue
    if (checked(count, 'read', undefined, path) === 0) break
    length += count
    if (length > limit) throw errors.SYS_FILE_TOO_LARGE({ path, limit })
    if (length === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2)
      larger.set(bytes)
      bytes = larger
    }
  }
  return bytes.subarray(0, length)
}
