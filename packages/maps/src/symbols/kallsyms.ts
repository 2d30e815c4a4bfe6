import { checked, failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { errors } from '../errors.ts'
import { maxKernelSymbols, maxSymbolLine } from '../limits.ts'
import { addressTable } from './address-table.ts'
import type { AddressTable } from './address-table.ts'
import { namePool } from './name-pool.ts'

/** Symbols of one part of the kernel. */
export interface KernelSymbolTable {
  readonly rows: AddressTable
  /** What {@link AddressTable.value} of a row points into. */
  readonly names: Uint8Array
  /** By {@link AddressTable.tag}; 0 is the kernel itself. */
  readonly modules: readonly (string | undefined)[]
}

/** The lines of /proc/kallsyms: the kernel's own, which never change, and those that have a module or BPF in brackets. */
export interface Kallsyms {
  /** Empty where it was not asked for. */
  readonly own: KernelSymbolTable
  readonly loaded: KernelSymbolTable
  /** True where there are lines, all of them with the address 0: the kernel hides them. */
  readonly hidden: boolean
}

const [newline, space, tab, openBracket, closeBracket] = [10, 32, 9, 91, 93]
/** Absolute symbols (before Linux 6.15 offsets of per-CPU variables) and undefined ones have no place in memory. */
const notInMemory = new Set(new TextEncoder().encode('AaU'))
const decoder = new TextDecoder()

function tableBuilder() {
  const rows = addressTable()
  const names = namePool()
  const modules: (string | undefined)[] = [undefined]
  const tags = new Map<string, number>()
  return {
    get count() {
      return rows.count
    },
    add(high: number, low: number, bytes: Uint8Array, nameFrom: number, nameTo: number, module: string) {
      if (!rows.isNew(high, low)) return
      let tag = module === '' ? 0 : tags.get(module)
      if (tag === undefined) {
        tag = modules.push(module) - 1
        if (tag > 0xffff) throw errors.SYMBOLS_TOO_MANY({ what: 'modules', limit: 0xffff })
        tags.set(module, tag)
      }
      rows.add(high, low, names.add(bytes, nameFrom, nameTo), tag)
    },
    finish: (): KernelSymbolTable => ({ rows: rows.finish(), names: names.finish(), modules }),
  }
}

/** The value of a hexadecimal digit; 16 and more for what is none. */
function hexDigit(byte: number): number {
  const letter = byte | 32
  return byte >= 48 && byte <= 57 ? byte - 48 : letter >= 97 && letter <= 102 ? letter - 87 : 16
}

/**
 * Reads the text of /proc/kallsyms that comes in pieces. Nothing is kept of a line but its address and name, without
 * `own` nothing at all of the kernel's own. Throws SYMBOLS_MALFORMED, SYMBOLS_TOO_MANY.
 */
export function parseKallsyms(pieces: Iterable<Uint8Array>, options: { readonly own: boolean }): Kallsyms {
  const own = tableBuilder()
  const loaded = tableBuilder()
  let line = 0
  let shown = false
  let module = ''
  let moduleBytes = new Uint8Array(0)

  const malformed = (bytes: Uint8Array, from: number, to: number, expected: string) =>
    errors.SYMBOLS_MALFORMED({
      path: '/proc/kallsyms',
      line,
      expected,
      actual: decoder.decode(bytes.subarray(from, Math.min(to, from + 80))),
    })
  /** The same module stands in thousands of lines, one after the other. */
  const moduleName = (bytes: Uint8Array, from: number, to: number): string => {
    let same = to - from === moduleBytes.length
    for (let i = 0; same && i < moduleBytes.length; i++) same = bytes[from + i] === moduleBytes[i]
    if (!same) {
      moduleBytes = bytes.slice(from, to)
      module = decoder.decode(moduleBytes)
    }
    return module
  }

  const parseLine = (bytes: Uint8Array, from: number, to: number): void => {
    line++
    if (to - from > maxSymbolLine)
      throw malformed(bytes, from, to, `a line of at most ${maxSymbolLine} bytes`)
    let high = 0
    let low = 0
    let at = from
    for (; at < to; at++) {
      const digit = hexDigit(bytes[at] ?? 0)
      if (digit > 15) break
      high = ((high << 4) | (low >>> 28)) >>> 0
      low = ((low << 4) | digit) >>> 0
    }
    const type = bytes[at + 1] ?? 0
    // The address, a space, one letter, a space, and a name.
    if (at === from || at - from > 16 || at + 4 > to || bytes[at] !== space || bytes[at + 2] !== space) {
      throw malformed(bytes, from, to, 'an address, a type and a name')
    }
    const nameFrom = at + 3
    let nameTo = nameFrom
    while (nameTo < to && bytes[nameTo] !== tab && bytes[nameTo] !== space) nameTo++
    const inModule = nameTo < to
    if (inModule && (bytes[nameTo + 1] !== openBracket || bytes[to - 1] !== closeBracket)) {
      throw malformed(bytes, from, to, 'a module in brackets after the name')
    }
    if ((high === 0 && low === 0) || notInMemory.has(type)) return
    shown = true
    if (inModule) loaded.add(high, low, bytes, nameFrom, nameTo, moduleName(bytes, nameTo + 2, to - 1))
    else if (options.own) own.add(high, low, bytes, nameFrom, nameTo, '')
    if (own.count + loaded.count > maxKernelSymbols) {
      throw errors.SYMBOLS_TOO_MANY({ what: 'kernel symbols', limit: maxKernelSymbols })
    }
  }

  forEachLine(pieces, parseLine)
  return { own: own.finish(), loaded: loaded.finish(), hidden: line > 0 && !shown }
}

/** Gives each line, also the last one without a newline; one that is too long comes as soon as it is. */
function forEachLine(
  pieces: Iterable<Uint8Array>,
  parseLine: (bytes: Uint8Array, from: number, to: number) => void,
): void {
  let rest = new Uint8Array(0)
  for (const piece of pieces) {
    let bytes = piece
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + piece.length)
      bytes.set(rest)
      bytes.set(piece, rest.length)
    }
    let from = 0
    for (let to = bytes.indexOf(newline); to >= 0; to = bytes.indexOf(newline, from)) {
      parseLine(bytes, from, to)
      from = to + 1
    }
    rest = bytes.slice(from)
    if (rest.length > maxSymbolLine) parseLine(rest, 0, rest.length)
  }
  if (rest.length > 0) parseLine(rest, 0, rest.length)
}

/** The contents of a file in pieces; each is overwritten by the next. Throws `SyscallError`. */
export function* filePieces(sys: Sys, path: string, size = 262_144): Generator<Uint8Array, void, void> {
  const fd = checked(sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY), 'openat', undefined, path)
  try {
    const buffer = new Uint8Array(size)
    for (;;) {
      const count = sys.read(fd, buffer)
      if (count === failure('EINTR')) continue
      if (checked(count, 'read', undefined, path) === 0) return
      yield buffer.subarray(0, count)
    }
  } finally {
    sys.close(fd)
  }
}
