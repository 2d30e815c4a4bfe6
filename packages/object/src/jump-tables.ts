import type { InsnIndex } from '@tsbpf/base'
import type { ElfSymbol } from '@tsbpf/elf'
import type { CodeFunction } from './functions.ts'
import { slotSize } from './insn-ops.ts'
import { names } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'

/** Bytes of an entry: LLVM writes the byte in the function's section at which the target stands. */
const entrySize = 8

/** Tables of indirect jumps (`gotox`), by the symbols that stand for them. */
export interface JumpTables {
  /** The slots of a function that a table leads to, counted from its start. */
  targets(symbol: ElfSymbol, fn: CodeFunction): readonly InsnIndex[]
}

/** Reads tables of `.jumptables` as they are asked for (libbpf 1.7: `create_jt_map`). */
export function jumpTables(file: ObjectFile): JumpTables {
  const known = new Map<number, { readonly fn: CodeFunction; readonly targets: readonly InsnIndex[] }>()
  let read = 0
  return {
    targets(symbol, fn) {
      const before = known.get(symbol.index)
      // Two names for one function may have different sizes, but start at the same place.
      if (before?.fn.section === fn.section && before.fn.offset === fn.offset) return before.targets
      const section = file.elf.sections[symbol.section]
      const start = Number(symbol.value)
      const fail = (at: number, expected: string, actual: string) =>
        file.fail('OBJECT_JUMP_TABLE', { path: `jump table ${symbol.name}`, section, at, expected, actual })
      const size = section === undefined ? 0 : section.data.length - start
      if (section === undefined || symbol.size === 0 || symbol.size % entrySize !== 0 || symbol.size > size) {
        throw fail(start, `entries of ${entrySize} bytes within ${names.jumpTables}`, `${symbol.size} bytes`)
      }
      read += symbol.size
      // Each table is of one function, so together they are no larger than the section.
      if (read > section.data.length) throw fail(start, 'tables side by side', 'tables that overlap')
      const view = new DataView(section.data.buffer, section.data.byteOffset + start, symbol.size)
      const targets: InsnIndex[] = []
      for (let at = 0; at < symbol.size; at += entrySize) {
        const target = Number(view.getBigUint64(at, file.elf.littleEndian)) - fn.offset
        if (target < 0 || target >= fn.size || target % slotSize !== 0) {
          throw fail(start + at, `an instruction of ${fn.name}`, `byte ${target + fn.offset}`)
        }
        targets.push((target / slotSize) as InsnIndex)
      }
      known.set(symbol.index, { fn, targets })
      return targets
    },
  }
}
