import { linux } from '@tsbpf/uapi'
import { readOpenFile } from './read-file.ts'
import { checked } from './syscall-error.ts'
import type { Sys } from './sys.ts'

/** A file's bytes, mapped or read; see {@link mapFile}. */
export interface MappedFile extends Disposable {
  /** Read them only: a write into a mapping ends the process. Empty after `dispose`. */
  readonly bytes: Uint8Array
  /** False where the kernel would not map the file, and `bytes` is a copy. */
  readonly mapped: boolean
  dispose(): void
}

const nothing = (): void => undefined

/**
 * A file of the kernel, such as /sys/kernel/btf/vmlinux, without copying it where the kernel lets it be mapped (BTF
 * from Linux 6.16), else read. Not for files that may shrink: a page that is gone ends the process.
 * Throws `SyscallError`.
 *
 * @example
 * ```ts
 * import { mapFile } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using btf = mapFile(nativeSys(), '/sys/kernel/btf/vmlinux')
 * console.log(btf.bytes.length > 0) // true
 * ```
 */
export function mapFile(sys: Sys, path: string): MappedFile {
  const fd = checked(sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY), 'openat', undefined, path)
  try {
    const size = checked(sys.fileSize(fd), 'fstat', undefined, path)
    const mapping = size > 0 ? sys.mmap(fd, size, linux.PROT_READ, linux.MAP_PRIVATE, 0) : 0
    if (typeof mapping !== 'number') {
      const unmap = (): void => {
        mapping.unmap()
      }
      return { bytes: new Uint8Array(mapping.memory), mapped: true, dispose: unmap, [Symbol.dispose]: unmap }
    }
    return { bytes: readOpenFile(sys, fd, path), mapped: false, dispose: nothing, [Symbol.dispose]: nothing }
  } finally {
    sys.close(fd)
  }
}
