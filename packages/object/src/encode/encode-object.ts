import { encodeBtfExt } from '@tsbpf/btf'
import type { BtfExtSectionInput } from '@tsbpf/btf'
import { encodeElf } from '@tsbpf/elf'
import { slotSize } from '../insn-ops.ts'
import type { FunctionSpec, LineInfo, ObjectSpec } from '../object-spec.ts'
import { layCode } from './code-sections.ts'
import type { PlacedFunction } from './code-sections.ts'
import { startDraft } from './draft.ts'
import type { Draft } from './draft.ts'
import { layData } from './lay-data.ts'
import { layDescribed, layLicense } from './lay-described.ts'
import { layExterns } from './lay-externs.ts'
import { layJumpTables } from './lay-jump-tables.ts'
import { layMaps } from './lay-maps.ts'
import { relocateCode } from './relocate-code.ts'

/** The text of a line as the BTF has it: a spec's is without the space around it. */
function lineText(spec: ObjectSpec, { text, textOffset }: LineInfo): string {
  const { btf } = spec
  if (btf === undefined || textOffset <= 0 || textOffset >= btf.endString) return text
  const whole = btf.string(textOffset)
  return whole.trim() === text ? whole : text
}

/** What `.BTF.ext` says of each section of code, functions in their order. */
function extOf(draft: Draft, functions: ReadonlyMap<string, PlacedFunction>): readonly BtfExtSectionInput[] {
  const sections = new Map([...functions.values()].map(({ section }) => [section.number, section]))
  const endId = draft.spec.btf?.endId ?? 0
  return [...sections.values()].map(({ name, functions: all }) => {
    // Two names for one function: it is described once.
    const fns = all.filter((fn, index) => fn.sectionOffset !== all[index - 1]?.sectionOffset)
    const offsetOf = (fn: FunctionSpec, what: string, insn: number): number => {
      const slots = fn.insns.length / slotSize
      if (Number.isInteger(insn) && insn >= 0 && insn < slots) return fn.sectionOffset + insn * slotSize
      throw draft.fail(`function ${fn.name}.${what}`, `instructions below ${slots}`, insn)
    }
    const typeOf = (fn: FunctionSpec, what: string, type: number): number => {
      if (Number.isInteger(type) && type >= 0 && type < endId) return type
      throw draft.fail(`function ${fn.name}.${what}`, `type ids below ${endId}`, type)
    }
    return {
      name,
      funcInfo: fns.flatMap((fn) =>
        fn.btfFunc === undefined
          ? []
          : [{ offset: fn.sectionOffset, type: typeOf(fn, 'btfFunc', fn.btfFunc) }],
      ),
      lineInfo: fns.flatMap((fn) =>
        fn.lineInfo.map((line) => {
          const { file, line: number, column } = line
          const offset = offsetOf(fn, 'lineInfo', line.insn)
          return { offset, file, line: number, column, text: lineText(draft.spec, line) }
        }),
      ),
      coreRelocations: fns.flatMap((fn) =>
        fn.coreRelocations.map(({ insn, type, access, kind }) => {
          const offset = offsetOf(fn, 'coreRelocations', insn)
          return { offset, type: typeOf(fn, 'coreRelocations', type), access, kind }
        }),
      ),
    }
  })
}

/** Adds `.BTF` and `.BTF.ext`, where there is something to say. */
function layBtf(draft: Draft, functions: ReadonlyMap<string, PlacedFunction>): void {
  const { types, spec } = draft
  const littleEndian = spec.byteOrder === 'little'
  const sections = extOf(draft, functions)
  const ext = encodeBtfExt(sections, types, { littleEndian })
  const described = sections.some(
    ({ funcInfo = [], lineInfo = [], coreRelocations = [] }) =>
      funcInfo.length + lineInfo.length + coreRelocations.length > 0,
  )
  if (spec.btf === undefined && types.endId === types.firstId && !described) return
  draft.section({ name: '.BTF', addralign: 4n, data: types.build({ littleEndian }) })
  if (described) draft.section({ name: '.BTF.ext', addralign: 4n, data: ext })
}

/**
 * Writes a spec as a relocatable BPF object, in the spec's byte order: what libbpf, bpftool and {@link parseObject}
 * open. The inverse of `parseObject`, whose spec of the result is the given one.
 *
 * Instructions, types and strings stay as they are and where they are. What a spec without BTF lacks is made: the
 * structs of `.maps` (of maps whose BTF says something else than the spec, too), externs, sections of typed variables.
 * References become relocations against the symbols of functions, maps, variables and externs; an immediate is written
 * only where none fits what it says. The same spec gives the same bytes; they belong to the caller.
 *
 * Throws `OBJECT_SPEC` with the path of what cannot be written: references to what the object does not have, two of a
 * name, functions or variables that overlap, sizes that do not agree; and `BTF_BUILD` for types that cannot be encoded.
 *
 * Carried without their bytes are sections that a spec does not have: they get their size and are empty.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { encodeObject, parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * const larger = spec.maps.map((map) => (map.name === 'counts' ? { ...map, maxEntries: 65_536 } : map))
 * const bytes = encodeObject({ ...spec, maps: larger })
 * ```
 */
export function encodeObject(spec: ObjectSpec): Uint8Array {
  const draft = startDraft(spec)
  const mapNames = new Set<string>()
  for (const { name } of spec.maps) {
    if (mapNames.has(name)) throw draft.fail(`map ${name}`, 'a name of its own', 'two of it')
    mapNames.add(name)
  }
  const functions = layCode(draft)
  layLicense(draft)
  const maps = layMaps(draft, functions)
  const data = layData(draft)
  const externs = layExterns(draft)
  layDescribed(draft, data, functions)
  const tables = layJumpTables(draft, functions)
  relocateCode(draft, { functions, maps, data, externs, tables })
  layBtf(draft, functions)
  return encodeElf(draft.elf())
}
