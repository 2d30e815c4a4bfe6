import type { InsnIndex } from '@tsbpf/base'
import type { BtfCoreRelocation, BtfExtSection, BtfLineInfo } from '@tsbpf/btf'
import type { ElfSection } from '@tsbpf/elf'
import { byFunction } from './functions.ts'
import type { CodeFunction } from './functions.ts'
import { slotSize } from './insn-ops.ts'
import { isHidden } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'
import type { CoreRelocation, FunctionSpec, LineInfo, ProgramSpec } from './object-spec.ts'
import { referencesOf } from './references.ts'
import type { ReferenceTargets } from './references.ts'
import { parseSectionName } from './section-name.ts'

/** The functions of an object, sorted into those that the kernel can enter and those that they call. */
export interface FunctionSpecs {
  readonly programs: readonly ProgramSpec[]
  readonly subprograms: readonly FunctionSpec[]
}

const none: BtfExtSection = { name: '', funcInfo: [], lineInfo: [], coreRelocations: [] }

function checkOffsets(
  file: ObjectFile,
  section: ElfSection,
  rows: readonly { readonly offset: number }[],
): void {
  for (const { offset } of rows) {
    if (offset % slotSize === 0) continue
    const path = `.BTF.ext of section ${section.name}`
    throw file.fail('OBJECT_BTF_EXT', {
      path,
      section,
      expected: 'the start of an instruction',
      actual: `byte ${offset}`,
    })
  }
}

function bindingOf(fn: CodeFunction): FunctionSpec['binding'] {
  const { binding } = fn.symbol
  return binding === 'global' || binding === 'weak' ? binding : 'local'
}

type Rows = Pick<FunctionSpec, 'lineInfo' | 'coreRelocations' | 'btfFunc'>

/** The rows of the function that starts at `start`, counted from there. */
function lineInfoOf(start: number, rows: readonly BtfLineInfo[]): LineInfo[] {
  const all: LineInfo[] = []
  for (const { offset, file, line, column, text, fileOffset, textOffset } of rows) {
    const insn = ((offset - start) / slotSize) as InsnIndex
    all.push({ insn, file, line, column, text, fileOffset, textOffset })
  }
  return all
}

function relocationsOf(start: number, rows: readonly BtfCoreRelocation[]): CoreRelocation[] {
  const all: CoreRelocation[] = []
  for (const { offset, type, access, kind } of rows) {
    all.push({ insn: ((offset - start) / slotSize) as InsnIndex, type, access, kind })
  }
  return all
}

/** Makes the specs of one section's functions. */
function specsOfSection(
  file: ObjectFile,
  targets: ReferenceTargets,
  section: ElfSection,
  into: { programs: ProgramSpec[]; subprograms: FunctionSpec[] },
): void {
  const functions = targets.functions.of(section)
  // .BTF.ext knows sections by name only: of two with one name, it means the first.
  const ext = (file.elf.section(section.name) === section ? file.btfExt.get(section.name) : undefined) ?? none
  checkOffsets(file, section, ext.funcInfo)
  checkOffsets(file, section, ext.lineInfo)
  checkOffsets(file, section, ext.coreRelocations)
  const references = referencesOf(file, targets, section)
  const lines = byFunction(functions, ext.lineInfo)
  const relocations = byFunction(functions, ext.coreRelocations)
  const infos = byFunction(functions, ext.funcInfo)
  const kind = parseSectionName(section.name)
  // Two names for one function share what was made for the first.
  const shared = new Map<number, Rows>()
  for (const fn of functions) {
    const { offset } = fn
    let rows = shared.get(offset)
    if (rows === undefined) {
      rows = {
        lineInfo: lineInfoOf(offset, lines.get(offset) ?? []),
        coreRelocations: relocationsOf(offset, relocations.get(offset) ?? []),
        btfFunc: infos.get(offset)?.find((row) => row.offset === offset)?.type,
      }
      shared.set(offset, rows)
    }
    const { lineInfo, coreRelocations, btfFunc } = rows
    // Written out: copying properties of objects is slow until it is compiled.
    const plain: FunctionSpec = {
      name: fn.name,
      section: kind.section,
      sectionOffset: offset,
      binding: bindingOf(fn),
      insns: section.data.subarray(offset, offset + fn.size),
      relocations: references.get(offset) ?? [],
      lineInfo,
      coreRelocations,
      btfFunc,
    }
    const spec = isHidden(fn.symbol) ? { ...plain, hidden: true } : plain
    const { type, attachType, attachTo, sleepable, autoload, flags } = kind
    if (!fn.program) into.subprograms.push(spec)
    else into.programs.push({ ...spec, type, attachType, attachTo, sleepable, autoload, flags })
  }
}

/** Makes the specs of all functions, in file order. */
export function functionSpecs(file: ObjectFile, targets: ReferenceTargets): FunctionSpecs {
  const specs = { programs: [], subprograms: [] }
  for (const section of file.code) specsOfSection(file, targets, section, specs)
  return specs
}
