import type { InsnIndex } from '@tsbpf/base'
import type { ElfRelocation, ElfSection, ElfSymbol } from '@tsbpf/elf'
import { symbolTypes } from '@tsbpf/elf'
import { InsnView } from '@tsbpf/isa'
import type { DeclaredMaps } from './btf-maps.ts'
import type { ExternTable } from './externs.ts'
import { byFunction } from './functions.ts'
import type { CodeFunction, FunctionTable } from './functions.ts'
import type { JumpTables } from './jump-tables.ts'
import { callOpcode, pseudoCall, slotSize, wideOpcode } from './insn-ops.ts'
import { isExtern, names } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'
import type { InsnReference, InsnRelocation } from './object-spec.ts'

/** What references can lead to. */
export interface ReferenceTargets {
  readonly functions: FunctionTable
  readonly externs: ExternTable
  readonly mapAt: DeclaredMaps['at']
  readonly jumpTables: JumpTables
  /** Name of the map whose memory is the section of arena variables. */
  readonly arena: string | undefined
}

const func = symbolTypes.value('func')

/** Section indexes from here on are no sections (System V gABI, `SHN_LORESERVE`). */
const firstReserved = 0xff00

function describe(file: ObjectFile, symbol: ElfSymbol): string {
  const section = file.elf.sections[symbol.section]
  const place = section === undefined || section.index === 0 ? 'no section' : `section ${section.name}`
  return symbol.name === '' ? place : `${symbol.name} in ${place}`
}

/**
 * What a relocated instruction refers to. REL rows have no addend: it stands in the immediate, and what it counts
 * depends on the instruction (libbpf: `bpf_program__record_reloc`; Documentation/bpf/llvm_reloc.rst).
 */
function referenceOf(
  file: ObjectFile,
  targets: ReferenceTargets,
  fn: CodeFunction,
  code: InsnView,
  row: ElfRelocation,
): InsnReference {
  const { section } = fn
  const slot = row.offset / slotSize
  const path = `relocation of instruction ${slot} in section ${section.name}`
  const at = { path, section, at: row.offset }
  const symbol = file.elf.symbols[row.symbol]
  if (symbol === undefined || row.addend !== undefined) {
    const actual = symbol === undefined ? `symbol ${row.symbol}` : 'a row with an addend (RELA)'
    throw file.fail('OBJECT_RELOCATION', { ...at, expected: 'a REL row with a known symbol', actual })
  }
  const opcode = code.opcode(slot)
  const isCall = opcode === callOpcode
  if (!isCall && !code.isWide(slot)) {
    const actual = `opcode 0x${opcode.toString(16).padStart(2, '0')}`
    throw file.fail('OBJECT_RELOCATION', { ...at, expected: 'a call or a wide load', actual })
  }
  const use = isCall ? 'call' : 'address'

  if (isExtern(symbol)) {
    const extern = targets.externs.bySymbol.get(symbol.index)
    if (extern !== undefined) return { kind: 'extern', name: extern.name, use }
    throw file.fail('OBJECT_RELOCATION_TARGET', { ...at, expected: 'an extern with a name', actual: 'none' })
  }
  const target =
    symbol.section === 0 || symbol.section >= firstReserved ? undefined : file.elf.sections[symbol.section]
  const value = Number(symbol.value)
  const imm = code.imm(slot)

  if (target !== undefined && file.isCode(target.index)) {
    if (isCall && code.src(slot) !== pseudoCall) {
      const actual = `src ${code.src(slot)}`
      throw file.fail('OBJECT_RELOCATION', { ...at, expected: `a call with src ${pseudoCall}`, actual })
    }
    // A call counts slots from the next instruction, an address counts bytes. GNU as up to 2.40 writes a global
    // function's byte offset into the call too, which libbpf opens but cannot load.
    const gas = isCall && symbol.type === func && value === imm + 1
    const offset = gas ? value : isCall ? value + (imm + 1) * slotSize : value + imm
    const callee = targets.functions.at(target.index, offset)
    if (callee !== undefined) return { kind: 'subprogram', name: callee.name, use }
    const actual = `byte ${offset} of section ${target.name}`
    throw file.fail('OBJECT_CALL_TARGET', { ...at, expected: 'the start of a function', actual })
  }
  if (!isCall && target !== undefined) {
    const map = targets.mapAt(target.index, value)
    if (map !== undefined) return { kind: 'map', name: map.name }
    if (target.name === names.jumpTables) {
      return { kind: 'jump_table', name: symbol.name, targets: targets.jumpTables.targets(symbol, fn) }
    }
    // libbpf adds in 32 bits; the kernel checks that the sum is within the map.
    const offset = (value + imm) >>> 0
    if (file.data.has(target.index)) return { kind: 'data', map: target.name, offset }
    if (target === file.arena && targets.arena !== undefined) {
      return { kind: 'data', map: targets.arena, offset }
    }
  }
  const expected = isCall ? 'a function' : 'a function, a map or a variable of a data section'
  throw file.fail('OBJECT_RELOCATION_TARGET', { ...at, expected, actual: describe(file, symbol) })
}

/** References without a relocation: calls within the section, which a compiler resolves itself. */
function callsWithin(
  file: ObjectFile,
  targets: ReferenceTargets,
  fn: CodeFunction,
  code: InsnView,
  known: ReadonlyMap<number, InsnReference>,
): Map<number, InsnReference> {
  const all = new Map<number, InsnReference>()
  const end = (fn.offset + fn.size) / slotSize
  for (let slot = fn.offset / slotSize; slot < end; slot++) {
    const reference = known.get(slot)
    const opcode = code.opcode(slot)
    if (reference !== undefined) all.set(slot, reference)
    else if (opcode === callOpcode && code.src(slot) === pseudoCall) {
      const offset = (slot + 1 + code.imm(slot)) * slotSize
      const callee = targets.functions.at(fn.section.index, offset)
      if (callee !== undefined) all.set(slot, { kind: 'subprogram', name: callee.name, use: 'call' })
      else if (offset <= fn.offset || offset >= fn.offset + fn.size) {
        // A call into the function's own code moves with it.
        throw file.fail('OBJECT_CALL_TARGET', {
          path: `call at instruction ${slot} in section ${fn.section.name}`,
          section: fn.section,
          at: slot * slotSize,
          expected: 'the start of a function',
          actual: `byte ${offset} of the section`,
        })
      }
    }
    if (opcode === wideOpcode) slot++
  }
  return all
}

/** The references of all functions of a section, by the offset at which each function starts. */
export function referencesOf(
  file: ObjectFile,
  targets: ReferenceTargets,
  section: ElfSection,
): ReadonlyMap<number, readonly InsnRelocation[]> {
  const functions = targets.functions.of(section)
  const result = new Map<number, readonly InsnRelocation[]>()
  if (functions.length === 0) return result
  // A stray byte after the last instruction belongs to no function.
  const whole = section.data.subarray(0, section.size - (section.size % slotSize))
  const code = new InsnView(whole, { littleEndian: file.elf.littleEndian })
  const rows = file.elf.relocations(section)
  for (const row of rows) {
    if (row.offset % slotSize === 0) continue
    const path = `relocation in section ${section.name}`
    const actual = `byte ${row.offset}`
    throw file.fail('OBJECT_RELOCATION', {
      path,
      section,
      at: row.offset,
      expected: 'an instruction',
      actual,
    })
  }
  const grouped = byFunction(functions, rows)
  for (const fn of functions) {
    if (result.has(fn.offset)) continue
    const known = new Map<number, InsnReference>()
    for (const row of grouped.get(fn.offset) ?? []) {
      const slot = row.offset / slotSize
      if (known.has(slot)) {
        const path = `relocation of instruction ${slot} in section ${section.name}`
        const actual = 'a second one'
        throw file.fail('OBJECT_RELOCATION', {
          path,
          section,
          at: row.offset,
          expected: 'one relocation',
          actual,
        })
      }
      known.set(slot, referenceOf(file, targets, fn, code, row))
    }
    const start = fn.offset / slotSize
    const all = callsWithin(file, targets, fn, code, known)
    result.set(
      fn.offset,
      [...all].map(([slot, ref]) => ({ insn: (slot - start) as InsnIndex, ref })),
    )
  }
  return result
}
