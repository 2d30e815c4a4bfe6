import { isTsbpfError } from '@tsbpf/base'
import { parseElf, sectionTypes } from '@tsbpf/elf'
import { errnoName, failure, readFile, readOpenFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from '../errors.ts'
import { maxBinaryBytes, maxVdsoBytes } from '../limits.ts'
import type { BinaryCache } from './binary-cache.ts'
import { debugFile } from './debug-file.ts'
import { buildIdOf, fileSymbols } from './file-symbols.ts'
import type { FileSymbols } from './file-symbols.ts'
import type { ProcessMapping } from './process-maps.ts'

const headBytes = 4096
const magic = 0x7f454c46

/**
 * The symbols of a file that a process has mapped, from the cache where it is the same file. `dir` is a descriptor of
 * /proc/PID. Throws SYMBOLS_FILE and `ELF_…`.
 */
export function mappedFile(sys: Sys, dir: number, mapping: ProcessMapping, cache: BinaryCache): FileSymbols {
  const { inode, path } = mapping
  if (path === '[vdso]') return vdso(sys, dir, mapping, cache)
  const fd = openMapped(sys, dir, mapping)
  try {
    const size = sys.fileSize(fd)
    const head = new Uint8Array(headBytes)
    const length = fill(sys, fd, head, path)
    const start = head.subarray(0, length)
    // Also keeps devices from being read to their end, which they do not have.
    if (length < 16 || new DataView(head.buffer).getUint32(0) !== magic) {
      throw errors.SYMBOLS_FILE({ path, reason: 'it is not an ELF file' })
    }
    if (size > maxBinaryBytes)
      throw errors.SYMBOLS_FILE({ path, reason: `it has more than ${maxBinaryBytes} bytes` })
    const known = cache.get(inode, size, start)
    if (known !== undefined) return known
    const rest = readOpenFile(sys, fd, path, maxBinaryBytes)
    const bytes = new Uint8Array(length + rest.length)
    bytes.set(start)
    bytes.set(rest, length)
    const symbols = readSymbols(sys, dir, bytes, path, cache)
    cache.set(inode, size, start, symbols)
    return symbols
  } finally {
    sys.close(fd)
  }
}

/** The code that the kernel maps into each process is an ELF file, which lies in memory alone. */
function vdso(sys: Sys, dir: number, { path, start, end }: ProcessMapping, cache: BinaryCache): FileSymbols {
  const fail = (reason: string) => errors.SYMBOLS_FILE({ path, reason })
  const size = Number(end - start)
  if (size > maxVdsoBytes) throw fail(`it has more than ${maxVdsoBytes} bytes`)
  const fd = sys.openat(dir, 'mem', linux.O_RDONLY)
  if (fd < 0) throw fail(errnoName(fd))
  try {
    const bytes = new Uint8Array(size)
    const count = sys.pread(fd, bytes, Number(start))
    if (count !== size) throw fail(count < 0 ? errnoName(count) : `${count} of ${size} bytes were read`)
    return readSymbols(sys, dir, bytes, path, cache)
  } finally {
    sys.close(fd)
  }
}

function readSymbols(
  sys: Sys,
  dir: number,
  bytes: Uint8Array,
  path: string,
  cache: BinaryCache,
): FileSymbols {
  const elf = parseElf(bytes, { name: path })
  const id = buildIdOf(elf)
  const known = id === undefined ? undefined : cache.byBuildId(id)
  if (known !== undefined) return known
  const stripped = !elf.sections.some(({ type }) => type === sectionTypes.value('symtab'))
  return fileSymbols(elf, stripped ? debugFile(elf, (name) => readInRoot(sys, dir, name)) : undefined)
}

/** Reads until the buffer is full or the file ends. */
function fill(sys: Sys, fd: number, buffer: Uint8Array, path: string): number {
  for (let length = 0; ;) {
    const count = sys.read(fd, buffer.subarray(length))
    if (count === failure('EINTR')) continue
    if (count < 0) throw errors.SYMBOLS_FILE({ path, reason: errnoName(count) })
    length += count
    if (count === 0 || length === buffer.length) return length
  }
}

/**
 * Opens the very file that is mapped, whatever became of its name (map_files: CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN);
 * else the file of that name where the process sees it, if it is still the same inode.
 */
function openMapped(sys: Sys, dir: number, { range, path, inode, deleted }: ProcessMapping): number {
  const flags = linux.O_RDONLY | linux.O_NONBLOCK
  const direct = sys.openat(dir, `map_files/${range}`, flags)
  if (direct >= 0) return direct
  const fail = (reason: string) => errors.SYMBOLS_FILE({ path, reason })
  if (deleted) throw fail(`it was deleted, and map_files: ${errnoName(direct)}`)
  if (!path.startsWith('/')) throw fail('it has no path')
  const named = sys.openat(dir, `root${path}`, flags)
  if (named < 0) throw fail(errnoName(named))
  const actual = inodeOf(sys, named)
  if (actual === undefined || inode.endsWith(`:${actual}`)) return named
  sys.close(named)
  throw fail('another file has its name now')
}

/** Inode number of an open file (fdinfo, Linux 5.14); `undefined` before. */
function inodeOf(sys: Sys, fd: number): string | undefined {
  try {
    const text = new TextDecoder().decode(readFile(sys, `/proc/self/fdinfo/${fd}`, { limit: 65_536 }))
    return /^ino:\s*(\d+)$/m.exec(text)?.[1]
  } catch (error) {
    if (isTsbpfError(error)) return undefined
    throw error
  }
}

function readInRoot(sys: Sys, dir: number, path: string): Uint8Array | undefined {
  const fd = sys.openat(dir, `root${path}`, linux.O_RDONLY | linux.O_NONBLOCK)
  if (fd < 0) return undefined
  try {
    return readOpenFile(sys, fd, path, maxBinaryBytes)
  } catch (error) {
    if (isTsbpfError(error)) return undefined
    throw error
  } finally {
    sys.close(fd)
  }
}
