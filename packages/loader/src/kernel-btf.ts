import { isTsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { parseElf } from '@tsbpf/elf'
import { mapFile, readFile } from '@tsbpf/sys'
import type { MappedFile, Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { openModules } from './kernel-modules.ts'
import type { ModuleBtf } from './kernel-modules.ts'
import { maxReleaseBytes } from './limits.ts'

const sysfs = '/sys/kernel/btf/vmlinux'

/** Where a kernel's image with BTF may lie when sysfs has none, by its release; libbpf's list (btf__load_vmlinux_btf). */
const images = (release: string): readonly string[] => [
  `/boot/vmlinux-${release}`,
  `/lib/modules/${release}/vmlinux-${release}`,
  `/lib/modules/${release}/build/vmlinux`,
  `/usr/lib/modules/${release}/kernel/vmlinux`,
  `/usr/lib/debug/boot/vmlinux-${release}`,
  `/usr/lib/debug/boot/vmlinux-${release}.debug`,
  `/usr/lib/debug/lib/modules/${release}/vmlinux`,
]

/** BTF of a kernel; nothing of it may be used after `dispose`. */
export interface KernelBtf extends Disposable {
  readonly btf: Btf
  dispose(): void
}

/** Options of {@link openKernelBtf}. */
export interface OpenKernelBtfOptions {
  /** A file with the BTF of another kernel, raw or in an image of ELF, such as BTFHub has for kernels without. */
  readonly path?: string
  /** What it is needed for, said in an error. */
  readonly reason?: string
}

/** BTF of the kernel that runs, to which the BTF of modules belongs. */
const running = new WeakSet<Btf>()

/**
 * Opens the BTF of the running kernel: /sys/kernel/btf/vmlinux (kernel 5.4), mapped where the kernel lets it (6.16),
 * else read; where that is not there, the images that libbpf looks for in /boot, /lib/modules and /usr/lib/debug. With
 * `path`, a file. Give its `btf` to several loads to open it once.
 *
 * Throws LOADER_NO_KERNEL_BTF, and what `parseBtf` and `parseElf` throw.
 *
 * @example
 * ```ts
 * import { openKernelBtf } from '@tsbpf/loader'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using kernel = openKernelBtf(nativeSys())
 * console.log(kernel.btf.find('task_struct', 'struct')?.name) // task_struct
 * ```
 */
export function openKernelBtf(sys: Sys, options: OpenKernelBtfOptions = {}): KernelBtf {
  const { path, reason = 'asked for' } = options
  if (path !== undefined) return openAt(sys, path, reason)
  try {
    return remember(openAt(sys, sysfs, reason))
  } catch (error) {
    if (!isTsbpfError(error, 'LOADER_NO_KERNEL_BTF')) throw error
    for (const image of imagesHere(sys)) {
      try {
        return remember(openAt(sys, image, reason))
      } catch (other) {
        // An image without BTF is one of many.
        if (!isTsbpfError(other)) throw other
      }
    }
    throw error
  }
}

function remember(kernel: KernelBtf): KernelBtf {
  running.add(kernel.btf)
  return kernel
}

function imagesHere(sys: Sys): readonly string[] {
  try {
    const bytes = readFile(sys, '/proc/sys/kernel/osrelease', { limit: maxReleaseBytes })
    const release = new TextDecoder().decode(bytes).trim()
    return /^[\w.+~-]+$/.test(release) ? images(release) : []
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return []
  }
}

function openAt(sys: Sys, path: string, reason: string): KernelBtf {
  const file = openFile(sys, path, reason)
  try {
    const btf = parseBtf(rawBtf(file.bytes, path, reason), { name: path })
    const dispose = (): void => {
      file.dispose()
    }
    return { btf, dispose, [Symbol.dispose]: dispose }
  } catch (error) {
    file.dispose()
    throw error
  }
}

const elfMagic = [0x7f, 0x45, 0x4c, 0x46]

function rawBtf(bytes: Uint8Array, path: string, reason: string): Uint8Array {
  if (elfMagic.some((byte, i) => bytes[i] !== byte)) return bytes
  const section = parseElf(bytes, { name: path }).section('.BTF')
  if (section === undefined) {
    throw errors.LOADER_NO_KERNEL_BTF({ path, errno: 'it has no section .BTF', reason })
  }
  return section.data
}

function openFile(sys: Sys, path: string, reason: string): MappedFile {
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
  /**
   * BTF of the modules that are loaded, opened when first asked for. None for a given BTF that is not the running
   * kernel's: it has no modules.
   */
  modules(reason: string): readonly ModuleBtf[]
}

export function lazyKernelBtf(sys: () => Sys, given: Btf | undefined): LazyKernelBtf {
  let opened: KernelBtf | undefined
  let modules: readonly ModuleBtf[] | undefined
  const get = (reason: string): Btf => {
    if (given !== undefined) return given
    opened ??= openKernelBtf(sys(), { reason })
    return opened.btf
  }
  return {
    get,
    modules(reason) {
      const base = get(reason)
      modules ??= running.has(base) ? openModules(sys(), base) : []
      return modules
    },
    [Symbol.dispose]() {
      opened?.dispose()
    },
  }
}
