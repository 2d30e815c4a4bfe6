import type { Sys } from '@tsbpf/sys'
import { errors } from '../errors.ts'
import { maxSymbolBytes } from '../limits.ts'
import { rowAt } from './address-table.ts'
import { filePieces, parseKallsyms } from './kallsyms.ts'
import type { KernelSymbolTable } from './kallsyms.ts'
import { nameAt } from './name-pool.ts'

/** The symbol that holds an address of the kernel. */
export interface KernelSymbol {
  readonly name: string
  /** Bytes from the start of the symbol. */
  readonly offset: number
  /** What the symbol was loaded with: a module, `bpf` for programs; `undefined` for the kernel's own. */
  readonly module: string | undefined
}

/** Options of {@link kernelSymbols}. */
export interface KernelSymbolsOptions {
  /** Milliseconds for which what is known of modules and BPF programs may be used; 1000 unless given. */
  readonly maxAge?: number
}

/** Names for addresses of the kernel; see {@link kernelSymbols}. */
export interface KernelSymbols {
  /** The symbol that holds the address; `undefined` where the kernel has none. */
  find(address: bigint): KernelSymbol | undefined
  /** Reads the symbols of modules and BPF programs again. */
  refresh(): void
  /** Addresses that have a name. */
  readonly count: number
  /** Bytes of memory that the index takes. */
  readonly byteLength: number
}

const path = '/proc/kallsyms'

/**
 * Names for addresses of the running kernel, its modules and BPF programs, by /proc/kallsyms, which is read as a stream
 * into columns: 122,000 symbols take some 3 MB and no object each.
 *
 * The rule for staleness: the kernel's own symbols are read once, for they never change. Modules and BPF programs come
 * and go: an address outside the kernel's own is answered by a reading that is at most `maxAge` old. `refresh` reads at
 * once. Where several symbols have one address, the first in the file names it, as in the kernel's own traces.
 * BPF programs are listed while `net.core.bpf_jit_kallsyms` is 1.
 *
 * Throws SYMBOLS_HIDDEN where the kernel hides addresses (no CAP_SYSLOG, or kernel.kptr_restrict=2), SYMBOLS_MALFORMED,
 * SYMBOLS_TOO_MANY, and `SyscallError` where the file cannot be read.
 *
 * @example
 * ```ts no-run
 * import { kernelSymbols } from '@tsbpf/maps'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(kernelSymbols(nativeSys()).find(0xffffffff81012345n)) // { name: 'do_one_initcall', offset: 37, module: undefined }
 * ```
 */
export function kernelSymbols(sys: Sys, options: KernelSymbolsOptions = {}): KernelSymbols {
  const { maxAge = 1000 } = options
  const first = parseKallsyms(filePieces(sys, path), { own: true })
  if (first.hidden) throw errors.SYMBOLS_HIDDEN({ path })
  const { own } = first
  let { loaded } = first
  let read = Date.now()
  const refresh = (): void => {
    const next = parseKallsyms(filePieces(sys, path), { own: false })
    if (next.hidden) throw errors.SYMBOLS_HIDDEN({ path })
    loaded = next.loaded
    read = Date.now()
  }
  return {
    find(address) {
      const high = Number(BigInt.asUintN(32, address >> 32n))
      const low = Number(BigInt.asUintN(32, address))
      const row = rowAt(own.rows, high, low)
      const within = row >= 0 && row < own.rows.count - 1
      const ofKernel = high >= 0x8000_0000
      // A clock that was set back must not keep old symbols alive.
      if (ofKernel && !within && Math.abs(Date.now() - read) > maxAge) refresh()
      const other = rowAt(loaded.rows, high, low)
      const distance = row < 0 ? Infinity : offsetIn(own, row, high, low)
      const otherDistance = other < 0 ? Infinity : offsetIn(loaded, other, high, low)
      return otherDistance < distance ? symbolOf(loaded, other, otherDistance) : symbolOf(own, row, distance)
    },
    refresh,
    get count() {
      return own.rows.count + loaded.rows.count
    },
    get byteLength() {
      return bytesOf(own) + bytesOf(loaded)
    },
  }
}

function offsetIn({ rows }: KernelSymbolTable, row: number, high: number, low: number): number {
  return (high - (rows.high[row] ?? 0)) * 0x1_0000_0000 + low - (rows.low[row] ?? 0)
}

/** kallsyms has no sizes: a symbol reaches to the next one, but not across the gaps of the address space. */
function symbolOf(
  { rows, names, modules }: KernelSymbolTable,
  row: number,
  offset: number,
): KernelSymbol | undefined {
  if (offset >= maxSymbolBytes) return undefined
  return { name: nameAt(names, rows.value[row] ?? 0), offset, module: modules[rows.tag[row] ?? 0] }
}

function bytesOf({ rows, names }: KernelSymbolTable): number {
  return names.byteLength + rows.count * 14
}
