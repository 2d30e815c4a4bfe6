import { describe, expect, it } from 'vitest'
import {
  callGraph,
  callsToDot,
  controlFlow,
  flowToDot,
  liveness,
  makeInsn,
  parseInsns,
  registerUse,
  stackUse,
} from '../index.ts'

const llvm = (text: string) => parseInsns(text, { dialect: 'llvm' }).insns

describe('control flow', () => {
  it('has no blocks for no instructions', () => {
    expect(controlFlow([]).blocks).toEqual([])
  })

  it('tells edges that are taken from those that go on, and slots where nothing begins', () => {
    const { blocks } = controlFlow(llvm('if r1 == 0 goto +1\nr0 = 1 ll\ngoto -2\nr0 = 0'))
    expect(blocks.map(({ start, end, successors, strays }) => ({ start, end, successors, strays }))).toEqual([
      { start: 0, end: 1, successors: [{ to: 1, kind: 'next' }], strays: [2] },
      { start: 1, end: 4, successors: [], strays: [2] },
      { start: 4, end: 5, successors: [], strays: [5] },
    ])
  })

  it('does not know where a jump to a register leads', () => {
    const flow = controlFlow([makeInsn('gotox', { dst: 1 }), makeInsn('exit')])
    expect(flow.blocks.map(({ indirect, successors }) => [indirect, successors.length])).toEqual([
      [true, 0],
      [false, 0],
    ])
    expect(liveness(flow).before[0]).toBe(0xffff)
    expect(flowToDot([{ name: 'f', flow }])).toContain('f0b0 -> f0any')
  })
})

describe('registers', () => {
  it('of calls are the arguments that they take', () => {
    const call = makeInsn('call', { imm: 1 })
    expect(registerUse(call)).toEqual({ reads: 0b11_1110, writes: 0b11_1111 })
    expect(registerUse(call, { argumentsOf: () => 2 }).reads).toBe(0b110)
    expect(registerUse(call, { argumentsOf: () => 0 }).reads).toBe(0)
    expect(registerUse(makeInsn('callx', { dst: 8 }), { argumentsOf: () => 0 }).reads).toBe(1 << 8)
  })
})

describe('stack use', () => {
  it('counts loads, stores, and addresses that are given away', () => {
    const use = (text: string) => stackUse(callGraph(llvm(text)))
    expect(use('r0 = 0\nexit').own).toEqual([0])
    expect(use('*(u64 *)(r10 - 24) = r1\nexit').own).toEqual([24])
    expect(use('r2 = r10\nr2 += -40\ncall 1\nexit').own).toEqual([40])
    expect(use('r2 = r10\nr2 += -40\n*(u8 *)(r2 - 1) = r1\nexit').own).toEqual([48])
    expect(use('r2 = r10\nr2 += r1\n*(u8 *)(r2 - 1) = r1\nexit').exact).toEqual([false])
    expect(use('r2 = r10\nif r1 == 0 goto +1\nr2 += -16\ncall 1\nexit').own).toEqual([0])
  })

  it('rounds each frame of the deepest chain as the kernel does', () => {
    const text =
      'call a\ncall b\nexit\na: *(u8 *)(r10 - 17) = r1\nexit\nb: *(u8 *)(r10 - 8) = r1\ncall c\nexit\nc: *(u8 *)(r10 - 20) = r1\nexit'
    const graph = callGraph(llvm(text))
    expect(stackUse(graph)).toEqual({
      own: [0, 24, 8, 24],
      exact: [true, true, true, true],
      deepest: { bytes: 16 + 32, functions: [0, 2, 3] },
    })
    expect(stackUse(graph, { roundTo: 32 }).deepest?.bytes).toBe(96)
  })

  it('knows of no deepest chain where functions call themselves', () => {
    const graph = callGraph(llvm('main: call main\nexit'))
    expect(graph.recursive).toBe(true)
    expect(stackUse(graph).deepest).toBeUndefined()
    expect(stackUse(callGraph([])).deepest).toBeUndefined()
  })
})

describe('call graph', () => {
  it('lists helpers and kfuncs, functions that are called back, and calls into nothing', () => {
    const insns = [
      makeInsn('call', { imm: 6 }),
      makeInsn('call', { imm: 1 }),
      makeInsn('call', { imm: 6 }),
      makeInsn('call_kfunc', { imm: 99 }),
      makeInsn('lddw_func', { dst: 2, imm: 2 }),
      makeInsn('call_subprogram', { imm: 50 }),
      makeInsn('exit'),
    ]
    const graph = callGraph(insns)
    expect(graph.functions.map(({ start, helpers, kfuncs }) => ({ start, helpers, kfuncs }))).toEqual([
      { start: 0, helpers: [1, 6], kfuncs: [99] },
      { start: 7, helpers: [], kfuncs: [] },
    ])
    expect(graph.functions[0]?.calls).toEqual([{ at: 4, to: 1, kind: 'callback' }])
    expect(graph.strays).toEqual([57])
    expect(callsToDot(graph, { linesOf: (index) => (index === 0 ? ['a "b"\n', '&lt;'] : undefined) })).toBe(
      String.raw`digraph "calls" {
  node [shape=box, fontname="Courier"]
  f0 [label="a \"b\" \l&amp;lt;\l"]
  f0 -> f1 [style=dashed]
  f1 [label="slot 7\l"]
}
`,
    )
  })
})

it('draws blocks with their instructions, and tells what leads back', () => {
  const flow = controlFlow(llvm('if r1 == 0 goto +1\ngoto -2\nexit'))
  expect(flowToDot([{ name: 'f"', flow }], { name: 'x' })).toBe(
    String.raw`digraph "x" {
  graph [fontname="Courier"]
  node [shape=box, fontname="Courier"]
  edge [fontname="Courier", fontsize=9]
  subgraph cluster_0 {
    label="f\""
    f0b0 [label="0: if r1 == 0x0 goto +0x1\l"]
    f0b0 -> f0b1 [color=gray40, taillabel="fall-through"]
    f0b0 -> f0b2 [color=blue, taillabel="taken"]
    f0b1 [label="1: goto -0x2\l"]
    f0b1 -> f0b0 [color=blue, penwidth=2]
    f0b2 [label="2: exit\l"]
  }
}
`,
  )
})
