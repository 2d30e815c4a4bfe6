import type { InsnIndex, TypeId } from '@tsbpf/base'
import { InsnView } from '@tsbpf/isa'
import { errors } from './errors.ts'
import { exceptionCallback } from './exception-callback.ts'
import { callOpcode, pseudoCall, pseudoFunc, slotSize, wideOpcode } from './insn-ops.ts'
import { limits } from './limits.ts'
import type { FunctionSpec, InsnRelocation, LineInfo, ObjectSpec, ProgramSpec } from './object-spec.ts'

/** Where a function stands in a linked program; the rows of the kernel's `func_info`. */
export interface LinkedFunction {
  readonly name: string
  /** Slot of the linked program at which it starts: 0 for the program's own function. */
  readonly startSlot: InsnIndex
  /** The FUNC that describes it in the object's BTF. The kernel takes `func_info` for all functions or for none. */
  readonly btfFunc: TypeId | undefined
}

/** A program with every subprogram that it reaches: what one load hands to the kernel. */
export interface LinkedProgram {
  readonly name: string
  readonly byteOrder: ObjectSpec['byteOrder']
  /** The program's function, then its subprograms; a copy that belongs to the caller. */
  readonly insns: Uint8Array
  /** What is still symbolic: maps, data and externs. Ascending; `insn` counts from the start of `insns`. */
  readonly relocations: readonly InsnRelocation[]
  /** Source lines of all functions, ascending; `insn` counts from the start of `insns`. */
  readonly lineInfo: readonly LineInfo[]
  /** The functions in the order of `insns`. */
  readonly functions: readonly LinkedFunction[]
}

interface Placed {
  readonly fn: FunctionSpec
  readonly start: number
  readonly slots: number
  /** References to subprograms, ascending. */
  readonly calls: readonly InsnRelocation[]
}

const functionsOf = new WeakMap<ObjectSpec, ReadonlyMap<string, FunctionSpec>>()

/** Functions that can be called, by name; a program can be, too. */
function byName(spec: ObjectSpec): ReadonlyMap<string, FunctionSpec> {
  let functions = functionsOf.get(spec)
  if (functions === undefined) {
    functions = new Map([...spec.programs, ...spec.subprograms].map((fn) => [fn.name, fn]))
    functionsOf.set(spec, functions)
  }
  return functions
}

const ascending = (a: { readonly insn: number }, b: { readonly insn: number }): number => a.insn - b.insn

/** Puts each function that is reached into its place, depth first, as libbpf does. */
function place(spec: ObjectSpec, program: ProgramSpec): ReadonlyMap<string, Placed> {
  const known = byName(spec)
  const placed = new Map<string, Placed>()
  let slots = 0
  const add = (fn: FunctionSpec): Placed => {
    const calls = fn.relocations.filter(({ ref }) => ref.kind === 'subprogram').sort(ascending)
    const entry = { fn, start: slots, slots: Math.floor(fn.insns.length / slotSize), calls }
    placed.set(fn.name, entry)
    slots += entry.slots
    if (slots > limits.programInsns) {
      const context = { program: program.name, insns: slots, limit: limits.programInsns }
      throw errors.OBJECT_PROGRAM_SIZE(context)
    }
    return entry
  }
  const walk = (root: FunctionSpec): void => {
    // A list of work, not recursion: chains of calls are as long as the object wants.
    const stack: { readonly entry: Placed; next: number }[] = [{ entry: add(root), next: 0 }]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const call = top.entry.calls[top.next++]
      if (call === undefined) {
        stack.pop()
        continue
      }
      const { name } = call.ref as { readonly name: string }
      if (placed.has(name)) continue
      const fn = known.get(name)
      if (fn === undefined) {
        throw errors.OBJECT_NO_SUBPROGRAM({
          program: program.name,
          function: top.entry.fn.name,
          insn: call.insn,
          name,
          names: spec.subprograms.map((one) => one.name),
        })
      }
      stack.push({ entry: add(fn), next: 0 })
    }
  }
  walk(program)
  const callback = exceptionCallback(spec.btf, program.name, (name) =>
    spec.subprograms.find((fn) => fn.name === name),
  )
  if (callback !== undefined && !placed.has(callback.name)) walk(callback)
  return placed
}

/** Points a call or an address load to where its function has come to stand. */
function patch(program: string, code: InsnView, from: Placed, call: InsnRelocation, target: Placed): void {
  const isCall = (call.ref as { readonly use: string }).use === 'call'
  const slot = from.start + call.insn
  const inside = call.insn >= 0 && call.insn < from.slots
  if (!inside || code.opcode(slot) !== (isCall ? callOpcode : wideOpcode)) {
    throw errors.OBJECT_REFERENCE_INSN({
      program,
      function: from.fn.name,
      insn: call.insn,
      expected: isCall ? 'a call' : 'a wide load',
      actual: inside ? `opcode 0x${code.opcode(slot).toString(16).padStart(2, '0')}` : 'no instruction',
    })
  }
  code.setSrc(slot, isCall ? pseudoCall : pseudoFunc)
  code.setImm(slot, target.start - slot - 1)
}

/**
 * Joins a program's function with every subprogram that it reaches, in libbpf's order (tools/lib/bpf/libbpf.c,
 * `bpf_object__reloc_code`): depth first, each where it is first referred to, an exception callback last.
 *
 * Calls and callback addresses get their distances in slots; references to maps, data and externs stay symbolic, with
 * their indexes moved. Pure: nothing of `spec` is changed, instructions are copied once. Run it after CO-RE relocation,
 * which works on single functions. Throws `OBJECT_NO_SUBPROGRAM`, `OBJECT_REFERENCE_INSN`, `OBJECT_PROGRAM_SIZE` and
 * `OBJECT_EXCEPTION_CALLBACK`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { linkSubprograms, parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * for (const program of spec.programs) {
 *   const { insns, functions } = linkSubprograms(spec, program)
 *   console.log(program.name, insns.length / 8, functions.map((fn) => fn.name))
 * }
 * ```
 */
export function linkSubprograms(spec: ObjectSpec, program: ProgramSpec): LinkedProgram {
  const placed = place(spec, program)
  const all = [...placed.values()]
  const last = all.at(-1)
  const insns = new Uint8Array(((last?.start ?? 0) + (last?.slots ?? 0)) * slotSize)
  const code = new InsnView(insns, { littleEndian: spec.byteOrder === 'little' })
  const relocations: InsnRelocation[] = []
  const lineInfo: LineInfo[] = []
  const functions: LinkedFunction[] = []
  for (const entry of all) {
    const { fn, start, slots, calls } = entry
    insns.set(fn.insns.subarray(0, slots * slotSize), start * slotSize)
    for (const call of calls) {
      const target = placed.get((call.ref as { readonly name: string }).name)
      if (target !== undefined) patch(program.name, code, entry, call, target)
    }
    const moved = (insn: InsnIndex): InsnIndex => (start + insn) as InsnIndex
    const symbolic = fn.relocations.filter(({ ref }) => ref.kind !== 'subprogram')
    for (const { insn, ref } of symbolic.sort(ascending)) {
      const there = ref.kind === 'jump_table' ? { ...ref, targets: ref.targets.map(moved) } : ref
      relocations.push({ insn: moved(insn), ref: there })
    }
    for (const line of fn.lineInfo) lineInfo.push({ ...line, insn: moved(line.insn) })
    functions.push({ name: fn.name, startSlot: moved(0 as InsnIndex), btfFunc: fn.btfFunc })
  }
  return { name: program.name, byteOrder: spec.byteOrder, insns, relocations, lineInfo, functions }
}
