import { symbolTypes, symbolVisibilities } from '@tsbpf/elf'
import { rowOf } from '@tsbpf/isa'
import { slotSize } from '../insn-ops.ts'
import { limits } from '../limits.ts'
import { names } from '../object-file.ts'
import type { FunctionSpec, ObjectSpec, ProgramSpec } from '../object-spec.ts'
import { flags } from './draft.ts'
import type { Draft } from './draft.ts'

/** A section of code with the functions that are in it, by their place. */
interface CodeSection {
  readonly name: string
  /** Number of the section in the file. */
  readonly number: number
  /** The section's bytes: a copy, in which immediates of relocated instructions may change. */
  readonly data: Uint8Array
  readonly functions: readonly FunctionSpec[]
}

/** Where a function stands in the file. */
export interface PlacedFunction {
  readonly section: CodeSection
  readonly spec: FunctionSpec
  /** Number of its symbol. */
  readonly symbol: number
}

const func = symbolTypes.value('func')
const hidden = symbolVisibilities.value('hidden')
const exit = rowOf('exit').opcode

const rawName = (program: ProgramSpec): string => (program.autoload ? '' : '?') + program.section

/**
 * Functions by section, in an order that keeps that of programs and that of subprograms. A subprogram's spec does not
 * say whether its section's name starts with `?`: it stands where the programs of that name are.
 */
export function bySection(spec: ObjectSpec): ReadonlyMap<string, FunctionSpec[]> {
  const programs = new Map<string, FunctionSpec[]>()
  const others = new Map<string, FunctionSpec[]>()
  const add = (to: Map<string, FunctionSpec[]>, name: string, fn: FunctionSpec): void => {
    const list = to.get(name)
    if (list === undefined) to.set(name, [fn])
    else list.push(fn)
  }
  for (const program of spec.programs) add(programs, rawName(program), program)
  for (const fn of spec.subprograms) {
    const off = `?${fn.section}`
    add(others, programs.has(off) && !programs.has(fn.section) ? off : fn.section, fn)
  }
  const order = new Set<string>()
  const rest = [...others.keys()]
  let next = 0
  const follow = (until?: string): void => {
    while (
      next < rest.length &&
      (until === undefined ? !programs.has(rest[next] ?? '') : rest[next] !== until)
    ) {
      order.add(rest[next++] ?? '')
    }
  }
  follow()
  for (const name of programs.keys()) {
    if (others.has(name) && !order.has(name)) {
      follow(name)
      next++
    }
    order.add(name)
    follow()
  }
  return new Map(
    [...order].map((name) => [name, [...(programs.get(name) ?? []), ...(others.get(name) ?? [])]]),
  )
}

/** The bytes of a section; between functions stand exits, which nothing reaches. */
function sectionBytes(draft: Draft, section: string, functions: readonly FunctionSpec[]): Uint8Array {
  let end = 0
  let last: FunctionSpec | undefined
  for (const fn of functions) {
    const { sectionOffset: offset, insns } = fn
    const path = `function ${fn.name}`
    if (insns.length === 0 || insns.length % slotSize !== 0)
      throw draft.fail(`${path}.insns`, 'whole instructions', `${insns.length} bytes`)
    if (!Number.isInteger(offset) || offset % slotSize !== 0)
      throw draft.fail(`${path}.sectionOffset`, `a multiple of ${slotSize}`, offset)
    // Two names for one function are fine.
    const alias = last?.sectionOffset === offset && last.insns.length === insns.length
    if (offset < end && !alias) {
      const expected = `${end} or more: the end of ${last?.name ?? 'the function before'} in section ${section}`
      throw draft.fail(`${path}.sectionOffset`, expected, offset)
    }
    if (offset - end > limits.codeGap)
      throw draft.fail(
        `${path}.sectionOffset`,
        `at most ${limits.codeGap} bytes of nothing before it`,
        offset - end,
      )
    end = offset + insns.length
    last = fn
  }
  const data = new Uint8Array(end)
  let filled = 0
  for (const { sectionOffset, insns } of functions) {
    for (; filled < sectionOffset; filled += slotSize) data[filled] = exit
    data.set(insns, sectionOffset)
    filled = sectionOffset + insns.length
  }
  return data
}

/** Name of a function's symbol: of a static one that a reader has numbered, the name that its BTF has. */
function symbolName({ btf }: ObjectSpec, fn: FunctionSpec, taken: ReadonlySet<string>): string {
  const { name, binding, btfFunc } = fn
  if (binding !== 'local' || btf === undefined || btfFunc === undefined || btfFunc >= btf.endId) return name
  const own = btf.nameOf(btfFunc)
  const numbered = name.startsWith(`${own}.`) && /^\d+$/.test(name.slice(own.length + 1))
  return own !== '' && numbered && taken.has(own) ? own : name
}

/** Adds the sections of code and the symbols of their functions. */
export function layCode(draft: Draft): ReadonlyMap<string, PlacedFunction> {
  const { spec } = draft
  const programs = new Set<FunctionSpec>(spec.programs)
  for (const program of spec.programs) {
    if (program.binding === 'local' || program.section === names.text) {
      const actual = `a ${program.binding} one in ${program.section}`
      throw draft.fail(`program ${program.name}`, 'a global function outside .text', actual)
    }
  }
  for (const fn of spec.subprograms) {
    if (fn.binding !== 'local' && fn.section !== names.text) {
      const actual = `a ${fn.binding} one in ${fn.section}`
      throw draft.fail(`subprogram ${fn.name}`, 'a static function, or one in .text', actual)
    }
  }
  const sections = [...bySection(spec)].map(([name, all]): CodeSection => {
    const functions = all.toSorted((a, b) => a.sectionOffset - b.sectionOffset)
    const data = sectionBytes(draft, name, functions)
    return { name, number: draft.section({ name, flags: flags.code, addralign: 8n, data }), data, functions }
  })
  const taken = new Set([...spec.programs, ...spec.subprograms].map(({ name }) => name))
  const placed = new Map<string, PlacedFunction>()
  for (const section of sections) {
    for (const fn of section.functions) {
      if (placed.has(fn.name)) {
        const what = programs.has(fn) ? 'program' : 'subprogram'
        throw draft.fail(`${what} ${fn.name}`, 'a name of its own', 'two of it')
      }
      const symbol = draft.symbol({
        name: symbolName(spec, fn, taken),
        type: func,
        binding: fn.binding,
        section: section.number,
        value: BigInt(fn.sectionOffset),
        size: fn.insns.length,
        ...(fn.hidden === true ? { visibility: hidden } : {}),
      })
      placed.set(fn.name, { section, spec: fn, symbol })
    }
  }
  return placed
}
