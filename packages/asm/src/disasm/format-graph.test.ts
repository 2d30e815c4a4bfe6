import type { ObjectSpec } from '@tsbpf/object'
import { expect, it } from 'vitest'
import { assemble, disassembleObject, formatCallGraph, formatFlowGraph } from '../index.ts'

const text = `
  .map counts, type=hash, key=u32, value=u64, max_entries=16
  .section xdp
  .globl count
count:
  r1 = counts ll
again:
  call twice
  if r0 == 0 goto again
  call bpf_ktime_get_ns
  exit
  .text
  .globl twice
twice:
  *(u64 *)(r10 - 24) = r1
  exit
  .license "GPL"
`

/** A program whose name and C are a stranger's. */
function hostile(name: string): ObjectSpec {
  const spec = assemble('.section xdp\n.globl p\np:\n r0 = 0\n exit\n')
  const [fn] = disassembleObject(spec)
  const lineInfo = (fn?.lines ?? []).map(({ index }) => {
    return { insn: index, file: name, line: 1, column: 1, text: name, fileOffset: 0, textOffset: 0 }
  })
  return { ...spec, programs: spec.programs.map((program) => ({ ...program, name, lineInfo })) }
}

it('draws blocks with names, what a jump decides, and what leads back', () => {
  const dot = formatFlowGraph(disassembleObject(assemble(text)))
  expect(dot.split('\n').filter((line) => line.startsWith('    ') || line.includes('cluster'))).toEqual([
    '  subgraph cluster_0 {',
    '    label="count"',
    String.raw`    f0b0 [label="0: r1 = counts ll\l"]`,
    '    f0b0 -> f0b1 [color=gray40]',
    String.raw`    f0b1 [label="LBB0_2:\l2: call twice\l3: if r0 == 0x0 goto LBB0_2\l"]`,
    '    f0b1 -> f0b2 [color=gray40, taillabel="fall-through"]',
    '    f0b1 -> f0b1 [color=blue, taillabel="taken", penwidth=2]',
    String.raw`    f0b2 [label="4: call bpf_ktime_get_ns\l5: exit\l"]`,
    '  subgraph cluster_1 {',
    '    label="twice"',
    String.raw`    f1b0 [label="0: *(u64 *)(r10 - 0x18) = r1\l1: exit\l"]`,
  ])
})

it('draws who calls whom, with stack and helpers', () => {
  const dot = formatCallGraph(disassembleObject(assemble(text)))
  expect(dot.split('\n').filter((line) => line.startsWith('  f'))).toEqual([
    String.raw`  f0 [label="count\lstack 0\lbpf_ktime_get_ns\l"]`,
    '  f0 -> f1',
    String.raw`  f1 [label="twice\lstack 24\l"]`,
  ])
})

it('keeps names of strangers within their quotes', () => {
  const name = 'a"]; b [label="x\n\\N&lt;<script>\u0000\uffff'
  const shown = String.raw`a\"]; b [label=\"x \\N&amp;lt;<script>  `
  const functions = [...disassembleObject(hostile(name))]
  const dot = formatFlowGraph(functions, { source: 'between' })
  expect(dot).toContain(`label="${shown}"\n`)
  expect(dot).toContain(`label="; 1: ${shown}\\l0: r0 = 0x0\\l1: exit\\l"]\n`)
  expect(formatCallGraph(functions)).toContain(`f0 [label="${shown}\\lstack 0\\l"]\n`)
})

it('draws a function of 100,000 instructions', () => {
  const small = assemble('.section xdp\n.globl p\np:\nif r1 == 0 goto +0\n')
  const programs = small.programs.map((program) => {
    const insns = new Uint8Array(100_000 * 8)
    for (let at = 0; at < insns.length; at += 8) insns.set(program.insns, at)
    return { ...program, insns }
  })
  const spec = { ...small, programs }
  const dot = formatFlowGraph(disassembleObject(spec))
  expect(dot.match(/^ {4}f0b\d+ \[label=/gm)?.length).toBe(100_000)
})
