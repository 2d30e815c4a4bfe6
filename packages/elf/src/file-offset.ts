import type { ElfFile, ElfSymbol } from './elf-file.ts'
import { fileTypes, sectionTypes, segmentTypes, symbolTypes } from './elf-layout.ts'

/**
 * Offset in the file of the byte that an executable or a shared library has at `address` once it is loaded: what a
 * uprobe wants. `address` is as the file states it, before a shared object is moved to where it is loaded. `undefined`
 * where no LOAD segment holds the address, or only as zeroes that are not in the file, as in `.bss`; always so in a
 * relocatable file. Throws what `elf.segments` throws.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { fileOffsetOf, parseElf } from '@tsbpf/elf'
 * const elf = parseElf(await readFile('/usr/bin/env'))
 * console.log(fileOffsetOf(elf, elf.entry))
 * ```
 */
export function fileOffsetOf(elf: ElfFile, address: bigint): number | undefined {
  for (const { type, vaddr, filesz, offset } of elf.segments) {
    if (type !== segmentTypes.value('load')) continue
    if (address >= vaddr && address < vaddr + BigInt(filesz)) return offset + Number(address - vaddr)
  }
  return undefined
}

/**
 * Offset in the file of the code or data that a symbol names: the place of a uprobe on a function. It is counted through
 * the symbol's section, as libbpf does, also in a relocatable file such as a kernel module. `undefined` where the symbol
 * is not defined in the file (undefined, absolute, common), is thread-local, or lies in `.bss` or outside its section.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { findSymbols, parseElf, symbolFileOffset } from '@tsbpf/elf'
 * const libc = parseElf(await readFile('/lib/x86_64-linux-gnu/libc.so.6'))
 * for (const symbol of findSymbols(libc, 'malloc')) console.log(symbolFileOffset(libc, symbol))
 * ```
 */
export function symbolFileOffset(elf: ElfFile, symbol: ElfSymbol): number | undefined {
  const { section: index, value } = symbol
  if (index === 0 || symbol.type === symbolTypes.value('tls')) return undefined
  const section = elf.sections[index]
  if (section === undefined) return undefined
  if (section.type === sectionTypes.value('nobits')) return undefined
  const from = elf.type === fileTypes.value('relocatable') ? 0n : section.addr
  return value >= from && value < from + BigInt(section.size)
    ? section.offset + Number(value - from)
    : undefined
}
