import type { Insn } from '../insn.ts'
import { placesOfSlots, slotsOfAll } from './control-flow.ts'

/** A call of another function of the same program, or its address taken for a helper to call back. */
export interface SubprogramCall {
  /** Place of the instruction in `insns`. */
  readonly at: number
  /** Index of the function that is called. */
  readonly to: number
  readonly kind: 'call' | 'callback'
}

/** A function of a program: the instructions from its first up to the first of the next. */
export interface CallNode {
  readonly index: number
  /** Slot of the first instruction, and the slot after the last. */
  readonly start: number
  readonly end: number
  /** Places of the first instruction and after the last. */
  readonly first: number
  readonly last: number
  /** In the order of the instructions. */
  readonly calls: readonly SubprogramCall[]
  /** Ids of the helpers that it calls, each once, ascending. */
  readonly helpers: readonly number[]
  /** BTF ids of the kfuncs that it calls, each once, ascending. */
  readonly kfuncs: readonly number[]
}

/** The functions of a program and who calls whom. */
export interface CallGraph {
  readonly insns: readonly Insn[]
  /** In the order of the instructions; the first is where the program begins. */
  readonly functions: readonly CallNode[]
  /** True where a function may call itself, by way of others too; the kernel refuses such a program. */
  readonly recursive: boolean
  /** Functions so that each comes before those that it calls; empty where `recursive`. */
  readonly order: readonly number[]
  /** Slots that are called where no instruction begins. */
  readonly strays: readonly number[]
}

const ascending = (ids: Iterable<number>): readonly number[] => [...new Set(ids)].sort((a, b) => a - b)

/** Callers before callees, as long as there is no circle (Kahn 1962). */
function callersFirst(functions: readonly CallNode[]): readonly number[] {
  const callers = new Uint32Array(functions.length)
  for (const { calls } of functions) for (const { to } of calls) callers[to] = (callers[to] ?? 0) + 1
  const order = functions.filter(({ index }) => callers[index] === 0).map(({ index }) => index)
  for (const from of order) {
    for (const { to } of functions[from]?.calls ?? []) {
      const left = (callers[to] ?? 0) - 1
      callers[to] = left
      if (left === 0) order.push(to)
    }
  }
  return order
}

/**
 * Finds the functions of a program whose subprograms stand behind it, as the kernel loads it, and their calls; linear in the
 * instructions. A function begins at slot 0, and wherever a call of a subprogram or the address of a function leads.
 *
 * @example
 * ```ts
 * import { callGraph, parseInsns } from '@tsbpf/isa'
 * const { insns } = parseInsns('call twice\nexit\ntwice: r0 = r1\nr0 += r1\nexit', { dialect: 'llvm' })
 * console.log(callGraph(insns).functions.map(({ start, calls }) => [start, calls.length])) // [[0, 1], [2, 0]]
 * ```
 */
export function callGraph(insns: readonly Insn[]): CallGraph {
  const slots = slotsOfAll(insns)
  const places = placesOfSlots(slots)
  const sites: { readonly at: number; readonly place: number; readonly kind: SubprogramCall['kind'] }[] = []
  const strays: number[] = []
  const begins = new Uint8Array(insns.length)
  if (insns.length > 0) begins[0] = 1
  for (const [at, insn] of insns.entries()) {
    if (insn.op !== 'call_subprogram' && insn.op !== 'lddw_func') continue
    // Both count from the instruction after their first slot (RFC 9669 sections 4.3.1 and 5.4).
    const slot = (slots[at] ?? 0) + 1 + insn.imm
    const place = places[slot] ?? -1
    if (place < 0) strays.push(slot)
    else {
      begins[place] = 1
      sites.push({ at, place, kind: insn.op === 'lddw_func' ? 'callback' : 'call' })
    }
  }
  const functionOf = new Uint32Array(insns.length)
  const firsts: number[] = []
  for (let i = 0; i < insns.length; i++) {
    if (begins[i] === 1) firsts.push(i)
    functionOf[i] = firsts.length - 1
  }
  const calls = firsts.map((): SubprogramCall[] => [])
  for (const { at, place, kind } of sites)
    calls[functionOf[at] ?? 0]?.push({ at, to: functionOf[place] ?? 0, kind })
  const functions = firsts.map((first, index): CallNode => {
    const last = firsts[index + 1] ?? insns.length
    const own = insns.slice(first, last)
    const called = (op: Insn['op']): readonly number[] =>
      ascending(own.filter((insn) => insn.op === op).map(({ imm }) => imm))
    return {
      index,
      start: slots[first] ?? 0,
      end: slots[last] ?? 0,
      first,
      last,
      calls: calls[index] ?? [],
      helpers: called('call'),
      kfuncs: called('call_kfunc'),
    }
  })
  const order = callersFirst(functions)
  const recursive = order.length < functions.length
  return { insns, functions, recursive, order: recursive ? [] : order, strays }
}
