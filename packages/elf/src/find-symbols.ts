import type { ElfFile, ElfSymbol } from './elf-file.ts'
import { SymbolRow } from './elf-layout.ts'
import { sourceOf } from './source.ts'
import { symbolTable } from './symbols.ts'

const rowSize = SymbolRow.size

/**
 * Symbols of exactly this name, those of `.symtab` first, then those of `.dynsym`. Names are compared as bytes and no
 * other symbol is decoded, so that one function of a large file is found without making an object of each: time in
 * proportion to the tables, memory to what is found. Throws `ELF_ENTRY_SIZE`, `ELF_LINK`, `ELF_SYMBOL` as
 * `elf.symbols` does, but only for what is found.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { findSymbols, parseElf } from '@tsbpf/elf'
 * const libc = parseElf(await readFile('/lib/x86_64-linux-gnu/libc.so.6'))
 * console.log(findSymbols(libc, 'malloc')[0]?.value)
 * ```
 */
export function findSymbols(elf: ElfFile, name: string): readonly ElfSymbol[] {
  const source = sourceOf(elf)
  const { view, littleEndian } = source
  const wanted = new TextEncoder().encode(name)
  const found: ElfSymbol[] = []
  const tables = [
    symbolTable(source, elf.sections, 'symtab', 'symbols'),
    symbolTable(source, elf.sections, 'dynsym', 'dynamicSymbols'),
  ]
  for (const table of tables) {
    if (table === undefined) continue
    const { names } = table
    for (let index = 0; index < table.count; index++) {
      const at = view.getUint32(table.offset + index * rowSize, littleEndian)
      if (names[at + wanted.length] !== 0) continue
      let length = 0
      while (length < wanted.length && names[at + length] === wanted[length]) length++
      if (length === wanted.length) found.push(table.read(index))
    }
  }
  return found
}
