import type { TypeId } from '@tsbpf/base'
import { InsnView } from '@tsbpf/isa'
import type { FunctionSpec, InsnReference, InsnRelocation, ObjectSpec, VariableSpec } from '../object-spec.ts'
import type { Global } from './globals.ts'
import type { SectionLayout } from './section-layout.ts'

/** What moving the parts of one object takes. */
export interface Mover {
  readonly object: number
  readonly spec: ObjectSpec
  readonly globals: ReadonlyMap<string, Global>
  readonly layout: SectionLayout
  /** New names of the object's own static functions. */
  readonly renamed: ReadonlyMap<string, string>
  readonly type: (id: TypeId) => TypeId
}

/** Where a variable is in the linked object. */
function placeOf(
  mover: Mover,
  object: number,
  { section, offset }: VariableSpec,
): InsnReference & { kind: 'data' } {
  return { kind: 'data', map: section, offset: mover.layout.offsetOf(object, section) + offset }
}

const losers = new WeakMap<ObjectSpec, ReadonlyMap<string, readonly VariableSpec[]>>()

/** Weak variables of an object that another one's go before, by section. */
function losersOf({ spec, object, globals }: Mover): ReadonlyMap<string, readonly VariableSpec[]> {
  const known = losers.get(spec)
  if (known !== undefined) return known
  const found = new Map<string, VariableSpec[]>()
  for (const variable of [...spec.variables, ...(spec.hiddenVariables ?? [])]) {
    const definition = globals.get(variable.name)?.definition
    if (definition === undefined || definition.object === object) continue
    const list = found.get(variable.section)
    if (list === undefined) found.set(variable.section, [variable])
    else list.push(variable)
  }
  losers.set(spec, found)
  return found
}

function moved(mover: Mover, ref: InsnReference, imm: number): InsnReference {
  const { globals, renamed, layout, object } = mover
  switch (ref.kind) {
    case 'map':
    case 'jump_table':
      return ref
    case 'subprogram':
      return { ...ref, name: renamed.get(ref.name) ?? ref.name }
    case 'data': {
      const lost = losersOf(mover)
        .get(ref.map)
        ?.find(({ offset, size }) => ref.offset >= offset && ref.offset < offset + size)
      const winner = lost === undefined ? undefined : globals.get(lost.name)?.definition
      if (lost !== undefined && winner?.kind === 'variable') {
        const place = placeOf(mover, winner.object, winner.spec)
        return { ...place, offset: place.offset + ref.offset - lost.offset }
      }
      return { ...ref, offset: (layout.offsetOf(object, ref.map) + ref.offset) >>> 0 }
    }
    case 'extern': {
      const definition = globals.get(ref.name)?.definition
      if (definition === undefined) return ref
      if (definition.kind === 'map') return { kind: 'map', name: ref.name }
      if (definition.kind === 'function') return { ...ref, kind: 'subprogram' }
      const place = placeOf(mover, definition.object, definition.spec)
      // The distance from the start of the variable stands in the immediate.
      return { ...place, offset: (place.offset + imm) >>> 0 }
    }
  }
}

/** A function with everything that it refers to by its new names, places and ids. */
export function moveFunction<T extends FunctionSpec>(mover: Mover, fn: T, sectionOffset: number): T {
  const { spec, type, globals } = mover
  const code = new InsnView(fn.insns, { littleEndian: spec.byteOrder === 'little' })
  const { btf } = spec
  const global = fn.binding === 'local' ? undefined : globals.get(fn.name)
  return {
    ...fn,
    name: mover.renamed.get(fn.name) ?? fn.name,
    sectionOffset,
    ...(global === undefined ? {} : { binding: global.weak ? 'weak' : 'global' }),
    ...(global?.hidden === true ? { hidden: true } : {}),
    relocations: fn.relocations.map(({ insn, ref }): InsnRelocation => {
      return { insn, ref: moved(mover, ref, insn < code.count ? code.imm(insn) : 0) }
    }),
    coreRelocations: fn.coreRelocations.map((row) => ({ ...row, type: type(row.type) })),
    btfFunc: fn.btfFunc === undefined ? undefined : type(fn.btfFunc),
    lineInfo: fn.lineInfo.map((line) => {
      // The text as the BTF has it: its place there is lost.
      const inBtf = btf !== undefined && line.textOffset > 0 && line.textOffset < btf.endString
      const whole = inBtf ? btf.string(line.textOffset) : line.text
      return { ...line, text: whole.trim() === line.text ? whole : line.text, fileOffset: 0, textOffset: 0 }
    }),
  }
}
