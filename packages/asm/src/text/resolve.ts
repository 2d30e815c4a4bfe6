import { sectionFlags } from '@tsbpf/elf'
import { encodeInsn, rowOf, slotsOf } from '@tsbpf/isa'
import { helpers } from '@tsbpf/uapi/helpers'
import { quoted, TextFault } from './arguments.ts'
import { isTemporary, nearestName, numberBytes, report } from './assembly.ts'
import type { AsmSection, Assembly, AsmSymbol, Fixup } from './assembly.ts'
import { definedNames, evaluate } from './expression.ts'
import type { Value } from './expression.ts'
import { limits } from './limits.ts'

/** Types of BPF's relocations (Documentation/bpf/llvm_reloc.rst). */
const relocationTypes = { wide: 1, abs64: 2, abs32: 3, nodyld32: 4, call: 10 } as const

/** A relocation of a section: against a symbol, or against the start of a section. */
export interface Relocation {
  readonly offset: number
  readonly target: AsmSymbol | AsmSection
  readonly type: number
}

/** Whether calls within a section may be left to a linker, who may put another function in place of a global one. */
export type Calls = 'relocated' | 'within the text'

const slotBytes = 8n
const min32 = -0x8000_0000n

/** A target with what is added to it; local symbols are counted from their section, as LLVM does. */
interface Target {
  readonly target: AsmSymbol | AsmSection
  readonly addend: bigint
}

function targetOf(
  assembly: Assembly,
  value: Exclude<Value, { readonly kind: 'number' }>,
  at: number,
): Target {
  if (value.kind === 'place') return { target: value.section, addend: value.offset }
  const { symbol, addend } = value
  if (symbol.section !== undefined) {
    return symbol.binding === 'local'
      ? { target: symbol.section, addend: addend + BigInt(symbol.offset) }
      : { target: symbol, addend }
  }
  const section = assembly.sections.get(symbol.name)
  if (section !== undefined) return { target: section, addend }
  const described = (assembly.sections.get('.BTF')?.size ?? 0) > 0
  if (symbol.extern || (described && !isTemporary(symbol.name))) return { target: symbol, addend }
  throw undefinedName(assembly, symbol, at, [])
}

function undefinedName(assembly: Assembly, symbol: AsmSymbol, at: number, more: Iterable<string>): TextFault {
  if (isTemporary(symbol.name)) {
    const shown = /^ (\d+)#(\d+)$/.exec(symbol.name)
    const actual =
      shown === null
        ? symbol.name.slice(0, limits.shownName)
        : `${shown[1] ?? ''} (number ${shown[2] ?? ''} of them)`
    return new TextFault(at, 'a label that is defined', quoted(actual))
  }
  const near = nearestName(symbol.name, [...definedNames(assembly), ...more])
  return new TextFault(
    at,
    'a name that is defined, or declared by .extern, .kfunc or .ksym',
    quoted(symbol.name),
    near,
  )
}

function inRange(value: bigint, bits: bigint, at: number, what: string): number {
  if (value < -(1n << (bits - 1n)) || value >= 1n << (bits - 1n)) {
    throw new TextFault(at, `${what} that ${bits} bits reach`, `${value} slots away`)
  }
  return Number(value)
}

function jump(assembly: Assembly, section: AsmSection, fixup: Fixup): number {
  const { value, at, offset } = fixup
  const found = evaluate(assembly, value, at)
  const symbol = found.kind === 'symbol' ? found.symbol : undefined
  // In conformance tests `exit` is also a label.
  if (
    symbol?.name === 'exit' &&
    symbol.section === undefined &&
    assembly.dialect === 'conformance' &&
    section.firstExit !== undefined
  ) {
    return (section.firstExit - offset) / Number(slotBytes) - 1
  }
  if (symbol?.section === undefined && found.kind !== 'place') {
    if (symbol === undefined) throw new TextFault(at, 'a label', 'a number')
    throw undefinedName(assembly, symbol, at, [])
  }
  const target = symbol?.section ?? (found.kind === 'place' ? found.section : undefined)
  if (target !== section)
    throw new TextFault(at, `a label of section ${section.name}`, `one of ${target?.name ?? ''}`)
  const to =
    found.kind === 'place'
      ? found.offset
      : BigInt(symbol?.offset ?? 0) + (found.kind === 'symbol' ? found.addend : 0n)
  const distance = to - BigInt(offset) - slotBytes
  if (distance % slotBytes !== 0n) throw new TextFault(at, 'a label at an instruction', `byte ${to}`)
  return inRange(
    distance / slotBytes,
    fixup.insn !== undefined && fixup.insn.op !== 'raw' && rowOf(fixup.insn.op).target === 'imm' ? 32n : 16n,
    at,
    'a label',
  )
}

/** Names of helpers, as they are called in C. */
function* helperNames(): Generator<string, void, undefined> {
  for (const { name } of helpers.rows) yield `bpf_${name}`
}

function call(assembly: Assembly, section: AsmSection, fixup: Fixup, calls: Calls): Relocation | undefined {
  const { insn, at, offset } = fixup
  if (insn === undefined) return undefined
  const write = (fields: Partial<typeof insn>): void => {
    section.bytes.set(encodeInsn({ ...insn, ...fields }, assembly), offset)
  }
  const found = evaluate(assembly, fixup.value, at)
  if (found.kind === 'number') throw new TextFault(at, 'a function', 'a number')
  const symbol = found.kind === 'symbol' ? found.symbol : undefined
  if (symbol !== undefined && symbol.section === undefined && !symbol.extern) {
    const helper = symbol.name.startsWith('bpf_') ? helpers.byName(symbol.name.slice(4)) : undefined
    if (helper !== undefined) {
      write({ op: 'call', src: 0, imm: helper.value })
      return undefined
    }
  }
  if (
    symbol !== undefined &&
    symbol.section === undefined &&
    !symbol.extern &&
    !assembly.sections.has('.BTF')
  ) {
    throw undefinedName(assembly, symbol, at, helperNames())
  }
  const within = found.kind === 'place' ? found.section : symbol?.section
  if (
    within === section &&
    (calls === 'within the text' || symbol?.binding !== 'global') &&
    symbol?.binding !== 'weak'
  ) {
    const to = found.kind === 'place' ? found.offset : BigInt(symbol?.offset ?? 0)
    write({ imm: inRange((to - BigInt(offset)) / slotBytes - 1n, 32n, at, 'a function') })
    return undefined
  }
  const { target, addend } = targetOf(assembly, found, at)
  write({ imm: inRange(addend / slotBytes - 1n, 32n, at, 'a function') })
  return { offset, target, type: relocationTypes.call }
}

function wide(assembly: Assembly, section: AsmSection, fixup: Fixup): Relocation | undefined {
  const { insn, at, offset } = fixup
  if (insn === undefined) return undefined
  const found = evaluate(assembly, fixup.value, at)
  const { target, addend } =
    found.kind === 'number' ? { target: undefined, addend: found.value } : targetOf(assembly, found, at)
  if (
    addend < -(1n << 63n) ||
    addend >= 1n << 64n ||
    (target !== undefined && (addend < min32 || addend > 0xffff_ffffn))
  ) {
    throw new TextFault(at, `a distance of ${target === undefined ? 64 : 32} bits`, String(addend))
  }
  const nextImm = target === undefined ? Number(BigInt.asIntN(32, addend >> 32n)) : 0
  section.bytes.set(
    encodeInsn({ ...insn, imm: Number(BigInt.asIntN(32, addend)), nextImm }, assembly),
    offset,
  )
  return target === undefined ? undefined : { offset, target, type: relocationTypes.wide }
}

const has = (section: AsmSection, flag: 'alloc' | 'execinstr' | 'write'): boolean =>
  (section.flags & BigInt(sectionFlags.value(flag))) !== 0n

/** Offsets in BTF are for readers that do not relocate: LLVM tells them by what they point to (BPFELFObjectWriter.cpp). */
function wordType(found: Value): number {
  const symbol = found.kind === 'symbol' ? found.symbol : undefined
  const section = found.kind === 'place' ? found.section : symbol?.section
  if (section === undefined || !has(section, 'alloc')) return relocationTypes.abs32
  const code = symbol === undefined || isTemporary(symbol.name)
  return has(section, code ? 'execinstr' : 'write') ? relocationTypes.nodyld32 : relocationTypes.abs32
}

function data(assembly: Assembly, section: AsmSection, fixup: Fixup): Relocation | undefined {
  const { at, offset, size } = fixup
  const found = evaluate(assembly, fixup.value, at)
  const { target, addend } =
    found.kind === 'number' ? { target: undefined, addend: found.value } : targetOf(assembly, found, at)
  if (target !== undefined && size < 4)
    throw new TextFault(at, 'a place in .long or .quad', `one in ${size} bytes`)
  const bits = BigInt(size * 8)
  if (addend < -(1n << (bits - 1n)) || addend >= 1n << bits) {
    throw new TextFault(at, `a number of ${bits} bits`, String(addend))
  }
  section.bytes.set(numberBytes(addend, size, assembly.littleEndian), offset)
  if (target === undefined) return undefined
  return { offset, target, type: size === 8 ? relocationTypes.abs64 : wordType(found) }
}

/** Fills in what names stand for, and gives the relocations that are left; faults are reported. */
export function resolve(assembly: Assembly, section: AsmSection, calls: Calls): readonly Relocation[] {
  const relocations: Relocation[] = []
  for (const fixup of section.fixups) {
    if (assembly.problems.length >= limits.problems) break
    try {
      let relocation: Relocation | undefined
      if (fixup.kind === 'jump') {
        const { insn } = fixup
        if (insn === undefined || insn.op === 'raw') continue
        const field = rowOf(insn.op).target ?? 'off'
        const distance = jump(assembly, section, fixup) - (slotsOf(insn) - 1)
        section.bytes.set(encodeInsn({ ...insn, [field]: distance }, assembly), fixup.offset)
      } else if (fixup.kind === 'call') relocation = call(assembly, section, fixup, calls)
      else if (fixup.kind === 'wide') relocation = wide(assembly, section, fixup)
      else relocation = data(assembly, section, fixup)
      if (relocation !== undefined) relocations.push(relocation)
    } catch (error) {
      if (!(error instanceof TextFault)) throw error
      report(assembly, fixup.place, error)
    }
  }
  return relocations
}
