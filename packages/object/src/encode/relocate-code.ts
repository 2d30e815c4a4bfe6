import { InsnView } from '@tsbpf/isa'
import { callOpcode, pseudoCall, slotSize, wideOpcode } from '../insn-ops.ts'
import type { InsnRelocation } from '../object-spec.ts'
import type { PlacedFunction } from './code-sections.ts'
import { relocationTypes } from './draft.ts'
import type { Draft } from './draft.ts'
import { tableKey } from './lay-jump-tables.ts'
import type { PlacedTables } from './lay-jump-tables.ts'

/** A section of data with the symbols of its variables by where they start. */
export interface PlacedData {
  /** Number of the section in the file. */
  readonly section: number
  readonly symbols: ReadonlyMap<number, number>
}

/** The symbols to which instructions can be bound. */
export interface RelocationTargets {
  readonly functions: ReadonlyMap<string, PlacedFunction>
  readonly maps: ReadonlyMap<string, { readonly symbol: number }>
  readonly data: ReadonlyMap<string, PlacedData>
  readonly externs: ReadonlyMap<string, number>
  readonly tables: PlacedTables
}

/**
 * Binds a reference to a symbol. REL rows have no addend: it stands in the immediate, and an instruction that came from
 * an object has one that fits a symbol there; only where none fits is the immediate written.
 */
function bind(
  draft: Draft,
  targets: RelocationTargets,
  from: PlacedFunction,
  code: InsnView,
  { insn, ref }: InsnRelocation,
): void {
  const { section, spec } = from
  const slots = spec.insns.length / slotSize
  const path = `function ${spec.name}.relocations: instruction ${insn}`
  if (!Number.isInteger(insn) || insn < 0 || insn >= slots)
    throw draft.fail(path, `an instruction below ${slots}`, insn)
  const slot = spec.sectionOffset / slotSize + insn
  const isCall = (ref.kind === 'subprogram' || ref.kind === 'extern') && ref.use === 'call'
  const opcode = code.opcode(slot)
  if (opcode !== (isCall ? callOpcode : wideOpcode) || (!isCall && insn + 1 >= slots)) {
    const actual = `opcode 0x${opcode.toString(16).padStart(2, '0')}`
    throw draft.fail(path, isCall ? 'a call' : 'a wide load', actual)
  }
  const row = (symbol: number): void => {
    const type = isCall ? relocationTypes.call : relocationTypes.wideLoad
    draft.relocate(section.number, { offset: slot * slotSize, symbol, type })
  }
  const imm = code.imm(slot)
  const known = <T>(found: T | undefined, what: string, name: string): T => {
    if (found === undefined) throw draft.fail(path, `a ${what} of the object`, name)
    return found
  }
  switch (ref.kind) {
    case 'map':
      row(known(targets.maps.get(ref.name), 'map', ref.name).symbol)
      return
    case 'jump_table':
      row(known(targets.tables.get(tableKey(from, ref.name)), 'jump table', ref.name))
      return
    case 'extern':
      row(known(targets.externs.get(ref.name), 'extern', ref.name))
      return
    case 'data': {
      const data = known(targets.data.get(ref.map), 'data section', ref.map)
      const symbol = data.symbols.get((ref.offset - imm) >>> 0)
      if (symbol === undefined && imm >>> 0 !== ref.offset) code.setImm(slot, ref.offset)
      row(symbol ?? draft.sectionSymbol(data.section))
      return
    }
    case 'subprogram': {
      const callee = known(targets.functions.get(ref.name), 'function', ref.name)
      const { sectionOffset } = callee.spec
      // A call counts slots from the next instruction, an address counts bytes.
      if (isCall) code.setSrc(slot, pseudoCall)
      const start = isCall ? -1 : 0
      const within = isCall ? sectionOffset / slotSize - 1 : sectionOffset
      const distance = sectionOffset / slotSize - slot - 1
      if (isCall && imm === distance && imm !== start && callee.section === section) return
      // libbpf takes the address of a static function only by the symbol of its section.
      const byName =
        isCall || (callee.spec.binding !== 'local' && (callee.spec.binding === 'global' || imm === start))
      const whole = imm === within ? within !== start || !byName : !byName
      if (imm !== (whole ? within : start)) code.setImm(slot, whole ? within : start)
      row(whole ? draft.sectionSymbol(callee.section.number) : callee.symbol)
    }
  }
}

/** Binds all references of all functions. */
export function relocateCode(draft: Draft, targets: RelocationTargets): void {
  const views = new Map<number, InsnView>()
  const done = new Set<string>()
  for (const fn of targets.functions.values()) {
    const { number, data } = fn.section
    const place = `${number}:${fn.spec.sectionOffset}`
    // Two names for one function: its instructions are bound once.
    if (done.has(place)) continue
    done.add(place)
    let code = views.get(number)
    if (code === undefined) {
      code = new InsnView(data, { littleEndian: draft.spec.byteOrder === 'little' })
      views.set(number, code)
    }
    const bound = new Set<number>()
    for (const relocation of fn.spec.relocations) {
      if (bound.has(relocation.insn)) {
        const path = `function ${fn.spec.name}.relocations: instruction ${relocation.insn}`
        throw draft.fail(path, 'one reference', 'two')
      }
      bound.add(relocation.insn)
      bind(draft, targets, fn, code, relocation)
    }
  }
}
