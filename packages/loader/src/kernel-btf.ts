import { isTsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { mapFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'

const path = '/sys/kernel/btf/vmlinux'

/** BTF of the running kernel; nothing of it may be used after `dispose`. */
export interface KernelBtf extends Disposable {
  readonly btf: Btf
  dispose(): void
}

/**
 * Opens the BTF of the running kernel (`/sys/kernel/btf/vmlinux`, kernel 5.4): mapped where the kernel lets it
 * (6.16), else read. Give its `btf` to several loads to open it once.
 *
 * Throws LOADER_NO_KERNEL_BTF, and what `parseBtf` throws.
 *
 * @example
 * ```ts
 * import { openKernelBtf } from '@tsbpf/loader'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using kernel = openKernelBtf(nativeSys())
 * console.log(kernel.btf.find('task_struct', 'struct')?.name) // task_struct
 * ```
 */
export function openKernelBtf(sys: Sys, reason = 'asked for'): KernelBtf {
  const file = openFile(sys, reason)
  try {
    const btf = parseBtf(file.bytes, { name: path })
    const dispose = (): void => {
      file.dispose()
    }
    return { btf, dispose, [Symbol.dispose]: dispose }
  } catch (error) {
    file.dispose()
    throw error
  }
}

function openFile(sys: Sys, reason: string): ReturnType<typeof mapFile> {
  try {
    return mapFile(sys, path)
  } catch (cause) {
    if (!isTsbpfError(cause)) throw cause
    const name = cause.context['errnoName']
    const errno = typeof name === 'string' ? name : cause.message
    throw errors.LOADER_NO_KERNEL_BTF({ path, errno, reason }, { cause })
  }
}

/** The kernel's BTF for the time of one load: the given one, or the running kernel's, opened when first asked for. */
export interface LazyKernelBtf extends Disposable {
  /** `reason` says in an error what it is needed for. */
  get(reason: string): Btf
}

export function lazyKernelBtf(sys: () => Sys, given: Btf | undefined): LazyKernelBtf {
  let opened: KernelBtf | undefined
  return {
    get(reason) {
      if (given !== undefined) return given
      opened ??= openKernelBtf(sys(), reason)
      return opened.btf
    },
    [Symbol.dispose]() {
      opened?.dispose()
    },
  }
}
