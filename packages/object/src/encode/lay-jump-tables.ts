import { symbolTypes } from '@tsbpf/elf'
import { slotSize } from '../insn-ops.ts'
import { names } from '../object-file.ts'
import type { PlacedFunction } from './code-sections.ts'
import { flags } from './draft.ts'
import type { Draft } from './draft.ts'

/** Bytes of an entry: the byte of the function's section at which the target stands. */
const entrySize = 8

/** Symbols of the tables of indirect jumps, by function and name. */
export type PlacedTables = ReadonlyMap<string, number>

/** Key of a table: names are those of a compiler, and need be unique only in a function. */
export function tableKey(fn: PlacedFunction, name: string): string {
  return `${fn.section.number}:${fn.spec.sectionOffset}:${name}`
}

/** Adds `.jumptables`, and a symbol for each table. */
export function layJumpTables(draft: Draft, functions: ReadonlyMap<string, PlacedFunction>): PlacedTables {
  const tables = new Map<string, { name: string; start: number; count: number }>()
  const entries: number[] = []
  for (const fn of functions.values()) {
    for (const { ref } of fn.spec.relocations) {
      if (ref.kind !== 'jump_table' || tables.has(tableKey(fn, ref.name))) continue
      const slots = fn.spec.insns.length / slotSize
      const path = `function ${fn.spec.name}.relocations: table ${ref.name}`
      if (ref.targets.length === 0) throw draft.fail(path, 'targets', 'none')
      tables.set(tableKey(fn, ref.name), { name: ref.name, start: entries.length, count: ref.targets.length })
      for (const target of ref.targets) {
        if (!Number.isInteger(target) || target < 0 || target >= slots)
          throw draft.fail(path, `instructions below ${slots}`, target)
        entries.push(fn.spec.sectionOffset + target * slotSize)
      }
    }
  }
  const symbols = new Map<string, number>()
  if (entries.length === 0) return symbols
  const data = new Uint8Array(entries.length * entrySize)
  const view = new DataView(data.buffer)
  entries.forEach((entry, index) => {
    view.setBigUint64(index * entrySize, BigInt(entry), draft.spec.byteOrder === 'little')
  })
  const section = draft.section({ name: names.jumpTables, flags: flags.readOnly, addralign: 8n, data })
  for (const [key, { name, start, count }] of tables) {
    const place = { section, value: BigInt(start * entrySize), size: count * entrySize }
    symbols.set(key, draft.symbol({ name, type: symbolTypes.value('object'), ...place }))
  }
  return symbols
}
