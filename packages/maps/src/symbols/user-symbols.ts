import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { errnoName, Fd, readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errnoOf } from '../errno-of.ts'
import { errors } from '../errors.ts'
import { maxProcessMapsBytes } from '../limits.ts'
import { binaryCache } from './binary-cache.ts'
import type { BinaryCache } from './binary-cache.ts'
import type { FileSymbols } from './file-symbols.ts'
import { mappedFile } from './mapped-file.ts'
import { mappingAt, parseProcessMaps } from './process-maps.ts'
import type { ProcessMapping } from './process-maps.ts'

/** Where an address of a process lies. */
export interface UserSymbol {
  /** The function; `undefined` where the file names none there. */
  readonly name: string | undefined
  /** Bytes from the start of the function. */
  readonly offset: number | undefined
  /** Path as the process sees it, or the kernel's name for memory that is no file: `[vdso]`. */
  readonly file: string
  /** Bytes from the start of the file. */
  readonly fileOffset: number
}

/** Options of {@link userSymbols}. */
export interface UserSymbolsOptions {
  /** Milliseconds for which the mappings that were read may be used; 1000 unless given. */
  readonly maxAge?: number
  /** Symbols of files, to be shared between processes; one of its own unless given. */
  readonly cache?: BinaryCache
}

/**
 * Names for addresses of one process; see {@link userSymbols}. It owns a descriptor of /proc/PID, so that it never
 * speaks of a later process with the same id. Use after `dispose` is SYMBOLS_DISPOSED.
 */
export class UserSymbols implements Disposable {
  readonly pid: number | 'self'
  readonly cache: BinaryCache
  readonly #sys: Sys
  readonly #dir: Fd
  readonly #maxAge: number
  readonly #files = new Map<string, FileSymbols | TsbpfError>()
  readonly #unreadable = new Map<string, TsbpfError>()
  #mappings: readonly ProcessMapping[] = []
  #read = 0
  #ended = false

  /** Takes `dir` over; made by {@link userSymbols}. */
  constructor(sys: Sys, pid: number | 'self', dir: Fd, options: UserSymbolsOptions) {
    this.#sys = sys
    this.pid = pid
    this.#dir = dir
    this.#maxAge = options.maxAge ?? 1000
    this.cache = options.cache ?? binaryCache()
  }

  /** Files that gave no symbols, by path, and why. */
  get unreadable(): ReadonlyMap<string, TsbpfError> {
    return this.#unreadable
  }

  /** What lies at the address; `undefined` where the process has no code there, or only such as is in no file. */
  find(address: bigint): UserSymbol | undefined {
    this.#update()
    const mapping = mappingAt(this.#mappings, address)
    if (mapping === undefined || mapping.path === '') return undefined
    const fileOffset = Number(address - mapping.start + mapping.fileOffset)
    const symbol = this.#symbols(mapping)?.find(fileOffset)
    return { name: symbol?.name, offset: symbol?.offset, file: mapping.path, fileOffset }
  }

  /**
   * What lies at an offset of the file with this build id (hexadecimal digits), if the process has it mapped: for
   * entries of stack trace maps made with BPF_F_STACK_BUILD_ID. It reads the mapped files until it finds that one.
   */
  findInBuild(buildId: string, fileOffset: number): UserSymbol | undefined {
    this.#update()
    for (const mapping of this.#mappings) {
      const symbols = mapping.path === '' ? undefined : this.#symbols(mapping)
      if (symbols?.buildId !== buildId) continue
      const symbol = symbols.find(fileOffset)
      return { name: symbol?.name, offset: symbol?.offset, file: mapping.path, fileOffset }
    }
    return undefined
  }

  /** Reads the mappings again; those of a process that has ended stay. */
  refresh(): void {
    if (this.#dir.disposed) throw errors.SYMBOLS_DISPOSED({ pid: String(this.pid) })
    if (this.#ended) return
    const path = `/proc/${this.pid}/maps`
    let bytes: Uint8Array = new Uint8Array(0)
    try {
      const limit = maxProcessMapsBytes
      bytes = readFile(this.#sys, 'maps', { dirFd: this.#dir.value, limit })
    } catch (cause) {
      if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
      if (this.#read === 0) {
        throw errors.SYMBOLS_PROCESS({ pid: String(this.pid), errno: errnoOf(cause) }, { cause })
      }
    }
    this.#read = Date.now()
    this.#ended = bytes.length === 0
    if (!this.#ended) this.#mappings = parseProcessMaps(bytes, path)
  }

  /** Closes the descriptor of /proc/PID. A second call does nothing. */
  dispose(): void {
    this.#dir.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #update(): void {
    if (this.#dir.disposed || Math.abs(Date.now() - this.#read) > this.#maxAge) this.refresh()
  }

  #symbols(mapping: ProcessMapping): FileSymbols | undefined {
    // Another file may be mapped under the same name, too.
    const key = `${mapping.inode} ${mapping.path}`
    let symbols = this.#files.get(key)
    if (symbols === undefined) {
      try {
        symbols = mappedFile(this.#sys, this.#dir.value, mapping, this.cache)
      } catch (error) {
        if (!isTsbpfError(error)) throw error
        symbols = error
        this.#unreadable.set(mapping.path, error)
      }
      this.#files.set(key, symbols)
    }
    return isTsbpfError(symbols) ? undefined : symbols
  }
}

/**
 * Names for addresses of a process, by its mappings and the symbols of the files it has mapped, and of the vDSO:
 * `.symtab`, `.dynsym` and split debug files, whatever address an executable or library was loaded at. The very file that is mapped is read, also
 * if it was deleted or is seen in another mount namespace only.
 *
 * The rule for staleness: mappings are read again when they are older than `maxAge` (libraries come and go); when the
 * process has ended the last ones stay. Symbols of a file are kept for good.
 *
 * Throws SYMBOLS_PROCESS where there is no such process or its mappings are not for this user, SYMBOLS_MALFORMED, and
 * `SYS_FILE_TOO_LARGE`. Files that give no symbols are listed in `unreadable`; their addresses have no name.
 *
 * @example
 * ```ts no-run
 * import { userSymbols } from '@tsbpf/maps'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using symbols = userSymbols(nativeSys(), 4711)
 * console.log(symbols.find(0x7f12_3456_789an)) // { name: 'malloc', offset: 42, file: '/usr/lib/…/libc.so.6', fileOffset: … }
 * ```
 */
export function userSymbols(sys: Sys, pid: number | 'self', options: UserSymbolsOptions = {}): UserSymbols {
  const fd = sys.openat(linux.AT_FDCWD, `/proc/${pid}`, linux.O_RDONLY)
  if (fd < 0) throw errors.SYMBOLS_PROCESS({ pid: String(pid), errno: errnoName(fd) })
  const symbols = new UserSymbols(sys, pid, new Fd(sys, fd, `/proc/${pid}`), options)
  try {
    symbols.refresh()
  } catch (error) {
    symbols.dispose()
    throw error
  }
  return symbols
}
