import type { InsnIndex, TypeId } from '@tsbpf/base'
import { encodeInsns } from '@tsbpf/isa'
import { parseSectionName } from '@tsbpf/object'
import type { FunctionSpec, InsnReference, InsnRelocation, LineInfo, ProgramSpec } from '@tsbpf/object'
import { siteOf } from './call-site.ts'
import type { ResolveSite, SourceLine } from './call-site.ts'
import type { CpuLevel } from './cpu-level.ts'
import { ptr } from './c-type.ts'
import type { Program, Subprogram } from './definitions.ts'
import type { FunctionCode, Reference } from './function-code.ts'
import { layOut } from './lay-out.ts'
import type { PlacedInsn } from './lay-out.ts'
import type { DataSection } from './object-data.ts'
import type { ObjectTypes } from './object-types.ts'

/** What functions are built with. */
export interface FunctionContext {
  readonly types: ObjectTypes
  readonly sections: readonly DataSection[]
  readonly cpu: CpuLevel
  readonly littleEndian: boolean
  readonly resolveSite: ResolveSite | undefined
}

const text = '.text'
/** The column of line info has 10 bits; 0 says that it is not known. */
const mostColumn = 0x3ff
const nowhere: SourceLine = { file: '', line: 0, text: '' }

/** Adds the FUNC of a function to the BTF. */
function addFunc({ btf, protoOf }: ObjectTypes, one: Program | Subprogram): TypeId {
  const isProgram = one.kind === 'program'
  const type = protoOf(one.signature, isProgram ? { params: { ctx: ptr() } } : {})
  return btf.add({ kind: 'func', name: one.name, type, linkage: isProgram ? 'global' : one.linkage })
}

function referenceOf(
  reference: Reference,
  insn: PlacedInsn['insn'],
  sections: readonly DataSection[],
): InsnReference {
  if (reference.kind === 'map') return { kind: 'map', name: reference.name }
  if (reference.kind === 'place') {
    const { name, section } = reference.global
    const variables = sections.find((one) => one.name === section)?.variables ?? []
    const start = variables.find((one) => one.name === name)?.offset ?? 0
    return { kind: 'data', map: section, offset: start + reference.offset }
  }
  const use = insn.op === 'lddw' ? 'address' : 'call'
  return { kind: reference.kind === 'kfunc' ? 'extern' : 'subprogram', name: reference.name, use }
}

/** Source lines where they change, and one where the function starts: the kernel asks for it. */
function lineInfo(
  insns: readonly PlacedInsn[],
  { types, resolveSite }: FunctionContext,
): readonly LineInfo[] {
  if (resolveSite === undefined) return []
  const lines: LineInfo[] = []
  for (const { slot, item } of insns) {
    const site = siteOf(item.trace, item.operation())
    const found = site === undefined ? undefined : resolveSite(site)
    const before = lines.at(-1)
    if (before !== undefined && (found === undefined || sameLine(before, found))) continue
    const { file, line, column = 0, text: source } = found ?? nowhere
    lines.push({
      insn: slot as InsnIndex,
      file,
      line,
      column: column > mostColumn ? 0 : column,
      text: source,
      fileOffset: types.btf.string(file),
      textOffset: types.btf.string(source),
    })
  }
  return lines
}

const sameLine = (a: SourceLine, b: SourceLine): boolean =>
  a.file === b.file && a.line === b.line && a.text === b.text

/** Makes the spec of a function; `places` counts the bytes of each section so far. */
function functionSpec(
  code: FunctionCode,
  section: string,
  binding: FunctionSpec['binding'],
  places: Map<string, number>,
  context: FunctionContext,
): FunctionSpec {
  const { types, sections, cpu, littleEndian } = context
  const placed = layOut(code, cpu)
  const insns = encodeInsns(
    placed.map(({ insn }) => insn),
    { littleEndian },
  )
  const sectionOffset = places.get(section) ?? 0
  places.set(section, sectionOffset + insns.length)
  const relocations: InsnRelocation[] = []
  for (const { slot, insn, reference } of placed) {
    if (reference === undefined) continue
    relocations.push({ insn: slot as InsnIndex, ref: referenceOf(reference, insn, sections) })
  }
  return {
    name: code.definition.name,
    section,
    sectionOffset,
    binding,
    insns,
    relocations,
    coreRelocations: [],
    btfFunc: addFunc(types, code.definition),
    lineInfo: lineInfo(placed, context),
  }
}

/** Makes the specs of programs, those of one section behind each other, as they will stand in a file. */
export function programSpecs(
  programs: readonly FunctionCode[],
  context: FunctionContext,
): readonly ProgramSpec[] {
  const sections = new Map<string, FunctionCode[]>()
  for (const code of programs) {
    const { section } = code.definition as Program
    sections.set(section, [...(sections.get(section) ?? []), code])
  }
  const places = new Map<string, number>()
  return [...sections].flatMap(([name, codes]) => {
    const { section, ...kind } = parseSectionName(name)
    return codes.map((code) => ({ ...functionSpec(code, name, 'global', places, context), section, ...kind }))
  })
}

/** Makes the specs of subprograms. */
export function subprogramSpecs(
  subprograms: readonly FunctionCode[],
  context: FunctionContext,
): readonly FunctionSpec[] {
  const places = new Map<string, number>()
  return subprograms.map((code) => {
    const { linkage } = code.definition as Subprogram
    return functionSpec(code, text, linkage === 'global' ? 'global' : 'local', places, context)
  })
}
