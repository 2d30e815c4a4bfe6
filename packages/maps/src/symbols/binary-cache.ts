import { maxCachedBinaries } from '../limits.ts'
import type { FileSymbols } from './file-symbols.ts'

/** Symbols of files that were read, to be shared by the processes that map them; see {@link binaryCache}. */
export interface BinaryCache {
  /** Files in the cache. */
  readonly count: number
  /** Bytes that their indexes take. */
  readonly byteLength: number
  /** The symbols of a file by device and inode, if size and first bytes are still those of that time. */
  get(inode: string, size: number, head: Uint8Array): FileSymbols | undefined
  /** The symbols of the same build under another name or on another file system. */
  byBuildId(buildId: string): FileSymbols | undefined
  set(inode: string, size: number, head: Uint8Array, symbols: FileSymbols): void
}

interface Entry {
  readonly size: number
  readonly head: Uint8Array
  readonly symbols: FileSymbols
}

/**
 * A cache of symbols of executables and libraries, for several {@link userSymbols}. A file is known again by device and
 * inode, its size and its first 4096 bytes, which hold the build id; the same build elsewhere by its build id. The file
 * that was used least recently goes when there are more than 256.
 */
export function binaryCache(): BinaryCache {
  const entries = new Map<string, Entry>()
  const builds = new Map<string, FileSymbols>()
  const drop = (inode: string): void => {
    const id = entries.get(inode)?.symbols.buildId
    if (id !== undefined) builds.delete(id)
    entries.delete(inode)
  }
  return {
    get count() {
      return entries.size
    },
    get byteLength() {
      const indexes = new Set([...entries.values()].map(({ symbols }) => symbols))
      return [...indexes].reduce((sum, { byteLength }) => sum + byteLength, 0)
    },
    get(inode, size, head) {
      const entry = entries.get(inode)
      if (entry === undefined || !isSame(entry, size, head)) return undefined
      entries.delete(inode)
      entries.set(inode, entry)
      return entry.symbols
    },
    byBuildId: (id) => builds.get(id),
    set(inode, size, head, symbols) {
      drop(inode)
      entries.set(inode, { size, head: head.slice(), symbols })
      if (symbols.buildId !== undefined) builds.set(symbols.buildId, symbols)
      const [oldest] = entries.keys()
      if (entries.size > maxCachedBinaries && oldest !== undefined) drop(oldest)
    },
  }
}

function isSame(entry: Entry, size: number, head: Uint8Array): boolean {
  return (
    entry.size === size &&
    entry.head.length === head.length &&
    entry.head.every((byte, at) => byte === head[at])
  )
}
