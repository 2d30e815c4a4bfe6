import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Insn } from '../../src/index.ts'
import {
  callGraph,
  callsToDot,
  controlFlow,
  dominators,
  flowToDot,
  instructionSet,
  liveness,
  makeInsn,
  registerUse,
  slotsOf,
  stackUse,
  targetOf,
} from '../../src/index.ts'
import { insnsOf } from '../arbitraries.ts'

const jumps = instructionSet.filter((row) => row.target === 'off' || row.name === 'gotol')
const plain = instructionSet.filter((row) => !jumps.includes(row))

/** Programs whose jumps mostly stay inside, with all instructions in between. */
const programs = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...jumps).chain(insnsOf) },
      { weight: 3, arbitrary: fc.constantFrom(...plain).chain(insnsOf) },
      { weight: 1, arbitrary: fc.constant(makeInsn('exit')) },
    ),
    { maxLength: 24 },
  )
  .chain((list) =>
    fc
      .array(fc.integer({ min: -12, max: 12 }), { minLength: list.length, maxLength: list.length })
      .map((distances) =>
        list.map((insn, i): Insn => {
          const row = jumps.find(({ name }) => name === insn.op)
          return row?.target === undefined ? insn : { ...insn, [row.target]: distances[i] ?? 0 }
        }),
      ),
  )

const slotsBefore = (list: readonly Insn[]): readonly number[] => {
  let slot = 0
  return list.map((insn) => (slot += slotsOf(insn)) - slotsOf(insn))
}

/** What may run after each instruction, by places: a naive reading of each instruction alone. */
function following(list: readonly Insn[]): {
  readonly next: readonly (readonly number[])[]
  readonly strays: number
} {
  const slots = slotsBefore(list)
  let strays = 0
  const next = list.map((insn, i) => {
    const to = new Set<number>()
    const lead = (slot: number): void => {
      const place = slots.indexOf(slot)
      if (place < 0) strays++
      else to.add(place)
    }
    if (!['ja', 'gotol', 'gotox', 'exit'].includes(insn.op)) lead((slots[i] ?? 0) + slotsOf(insn))
    const target = insn.op === 'call_subprogram' ? undefined : targetOf(insn, slots[i] ?? 0)
    if (target !== undefined) lead(target)
    return [...to].sort((a, b) => a - b)
  })
  return { next, strays }
}

/** Nodes that are reached from the first one without passing `without`. */
function reached(next: readonly (readonly number[])[], without?: number): ReadonlySet<number> {
  const seen = new Set<number>()
  const list = next.length > 0 && without !== 0 ? [0] : []
  for (let node = list.pop(); node !== undefined; node = list.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    for (const to of next[node] ?? []) if (to !== without) list.push(to)
  }
  return seen
}

describe('control flow', () => {
  it('leads from instruction to instruction as each of them says', () => {
    fc.assert(
      fc.property(programs, (list) => {
        const flow = controlFlow(list)
        const { next, strays } = following(list)
        const found = list.map((_, i) => {
          const block = flow.blocks[flow.blockOf[i] ?? -1]!
          if (i + 1 < block.last) return [i + 1]
          return [...new Set(block.successors.map(({ to }) => flow.blocks[to]!.first))].sort((a, b) => a - b)
        })
        expect(found).toEqual(next)
        expect(flow.blocks.reduce((sum, block) => sum + block.strays.length, 0)).toBe(strays)
      }),
    )
  })

  it('has blocks that hold all instructions once, are entered at the top, and are as long as they can be', () => {
    fc.assert(
      fc.property(programs, (list) => {
        const { blocks, blockOf, slots } = controlFlow(list)
        expect([...slots]).toEqual(slotsBefore(list))
        expect(blocks.flatMap(({ first, last, index }) => list.slice(first, last).map(() => index))).toEqual([
          ...blockOf,
        ])
        for (const { index, predecessors, successors } of blocks) {
          const from = blocks.filter((other) => other.successors.some(({ to }) => to === index))
          expect(predecessors).toEqual(from.map((block) => block.index))
          // A block that only falls into the next one ends there because something jumps to it.
          const [only] = successors
          if (
            successors.length === 1 &&
            only?.kind === 'next' &&
            targetOf(list[blocks[index]!.last - 1]!, 0) === undefined
          )
            expect(blocks[only.to]?.predecessors.length).toBeGreaterThan(1)
        }
      }),
    )
  })

  it('is linear: a hundred thousand jumps', () => {
    const list = Array.from({ length: 100_000 }, (_, i) =>
      makeInsn('jeq_imm', { dst: 1, off: i % 2 === 0 ? 7 : -5 }),
    )
    const flow = controlFlow(list)
    expect(flow.blocks.length).toBe(list.length)
    expect(dominators(flow).immediate.length).toBe(list.length)
    expect(liveness(flow).before[0]).toBe(0b10)
  })
})

describe('dominators', () => {
  /** Graphs of any shape: blocks only need edges. */
  const graphs = fc
    .integer({ min: 1, max: 14 })
    .chain((count) =>
      fc.array(fc.array(fc.nat(count - 1), { maxLength: 3 }), { minLength: count, maxLength: count }),
    )

  it('are those without which a block is not reached', () => {
    fc.assert(
      fc.property(graphs, (next) => {
        const blocks = next.map((successors, index) => ({
          ...{
            index,
            start: index,
            end: index + 1,
            first: index,
            last: index + 1,
            strays: [],
            indirect: false,
          },
          successors: successors.map((to) => ({ to, kind: 'taken' as const })),
          predecessors: [...next.keys()].filter((from) => next[from]?.includes(index)),
        }))
        const found = dominators({ blocks })
        const all = reached(next)
        for (const block of next.keys()) {
          expect(found.reaches(block)).toBe(all.has(block))
          const strict: number[] = []
          for (const by of next.keys()) {
            const naive = all.has(block) && all.has(by) && (by === block || !reached(next, by).has(block))
            expect(found.dominates(by, block), `${by} ${block}`).toBe(naive)
            if (naive && by !== block) strict.push(by)
          }
          // The immediate one is dominated by all others.
          const closest = strict.find((by) => strict.every((other) => found.dominates(other, by))) ?? -1
          expect(found.immediate[block]).toBe(closest)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('liveness', () => {
  it('is what reaches a read without a write between', () => {
    fc.assert(
      fc.property(programs, (list) => {
        const { next } = following(list)
        const uses = list.map((insn) => registerUse(insn))
        const before = list.map(() => 0)
        const after = list.map(() => 0)
        for (let changed = true; changed;) {
          changed = false
          for (const [i, { reads, writes }] of uses.entries()) {
            after[i] =
              list[i]?.op === 'gotox'
                ? 0xffff
                : (next[i] ?? []).reduce((live, to) => live | (before[to] ?? 0), 0)
            const live = (after[i] & ~writes) | reads
            changed ||= live !== before[i]
            before[i] = live
          }
        }
        const found = liveness(controlFlow(list))
        expect([...found.before]).toEqual(before)
        expect([...found.after]).toEqual(after)
      }),
    )
  })

  it('never needs a register that the text of the instruction does not have', () => {
    const implied = /^(call|ld_|exit|atomic_cmpxchg)/
    for (const row of instructionSet.filter(({ name }) => !implied.test(name))) {
      const { reads, writes } = registerUse(
        makeInsn(row.name, { ...(row.dst === 'any' && { dst: 7 }), ...(row.src === 'any' && { src: 8 }) }),
      )
      const named = (row.dst === 'any' ? 1 << 7 : 0) | (row.src === 'any' ? 1 << 8 : 0)
      expect((reads | writes) & ~named, row.name).toBe(0)
      expect(reads | writes, row.name).toBe(named)
    }
  })
})

describe('call graph', () => {
  /** Programs of functions that end in exit and call each other. */
  const calling = fc
    .array(fc.array(fc.nat(5), { maxLength: 3 }), { minLength: 1, maxLength: 6 })
    .map((bodies) => {
      const starts = bodies.map((_, i) => bodies.slice(0, i).reduce((sum, body) => sum + body.length + 1, 0))
      const insns = bodies.flatMap((body, i) => [
        ...body.map((to, j) =>
          makeInsn('call_subprogram', { imm: starts[to % bodies.length]! - starts[i]! - j - 1 }),
        ),
        makeInsn('exit'),
      ])
      return { bodies: bodies.map((body) => body.map((to) => to % bodies.length)), starts, insns }
    })

  it('finds the functions that are called, their callees, and whether any calls itself', () => {
    fc.assert(
      fc.property(calling, ({ bodies, starts, insns }) => {
        const graph = callGraph(insns)
        const called = new Set([0, ...bodies.flat()])
        expect(graph.functions.map(({ start }) => start)).toEqual(starts.filter((_, i) => called.has(i)))
        const names = graph.functions.map(({ start }) => starts.indexOf(start))
        // A function that nothing calls belongs to the one before it.
        const callees = names.map((name, i) => bodies.slice(name, names[i + 1] ?? bodies.length).flat())
        expect(graph.functions.map(({ calls }) => calls.map(({ to }) => names[to]))).toEqual(callees)
        const next = graph.functions.map(({ calls }) => calls.map(({ to }) => to))
        const circle = next.some((list, from) =>
          list.some((to) => {
            const seen = new Set<number>()
            const left = [to]
            for (let node = left.pop(); node !== undefined; node = left.pop()) {
              if (!seen.has(node)) left.push(...(next[node] ?? []))
              seen.add(node)
            }
            return seen.has(from)
          }),
        )
        expect(graph.recursive).toBe(circle)
        if (circle) expect(stackUse(graph).deepest).toBeUndefined()
        else
          for (const [from, list] of next.entries())
            for (const to of list) expect(graph.order.indexOf(from)).toBeLessThan(graph.order.indexOf(to))
      }),
    )
  })
})

it('any program gives graphs, in text too', () => {
  fc.assert(
    fc.property(programs, (list) => {
      const flow = controlFlow(list)
      const dot = flowToDot([{ name: 'f', flow }])
      expect(dot.match(/^ {4}f0b\d+ \[label=/gm)?.length ?? 0).toBe(flow.blocks.length)
      expect(dot.match(/ -> f0b\d+ \[/g)?.length ?? 0).toBe(
        flow.blocks.reduce((sum, block) => sum + block.successors.length, 0),
      )
      const graph = callGraph(list)
      expect(callsToDot(graph).match(/\[label=/g)?.length ?? 0).toBe(graph.functions.length)
      expect(stackUse(graph).own.length).toBe(graph.functions.length)
    }),
  )
})
