import type { Insn, OpName } from '@tsbpf/isa'
import { makeInsn, rowOf, slotsOf } from '@tsbpf/isa'
import { builderErrors } from '../errors.ts'
import { placeOf } from './call-site.ts'
import { cpuLevelOf } from './cpu-level.ts'
import type { CpuLevel } from './cpu-level.ts'
import { labelName } from './function-code.ts'
import type { CodeItem, FunctionCode, Reference } from './function-code.ts'
import type { LabelReference } from './insn-builder.ts'

/** An instruction in its place. */
export interface PlacedInsn {
  /** From the start of the function. */
  readonly slot: number
  readonly insn: Insn
  readonly reference: Reference | undefined
  readonly item: CodeItem & { readonly kind: 'insn' }
}

type InsnItem = PlacedInsn['item']

/** Jumps by what they ask, and those that ask the opposite; `jset` and `may_goto` have none. */
const opposites: Readonly<Record<string, string>> = {
  jeq: 'jne',
  jne: 'jeq',
  jgt: 'jle',
  jle: 'jgt',
  jge: 'jlt',
  jlt: 'jge',
  jsgt: 'jsle',
  jsle: 'jsgt',
  jsge: 'jslt',
  jslt: 'jsge',
}

function opposite(op: string): OpName | undefined {
  const [, condition = '', rest = ''] = /^([a-z]+)(.*)$/.exec(op) ?? []
  const other = opposites[condition]
  return other === undefined ? undefined : rowOf(`${other}${rest}`)?.name
}

/** Slots of a jump that goes too far: itself as a long one, or around a long one. */
function widenedSlots(op: string): number {
  if (op === 'ja') return 1
  return opposite(op) === undefined ? 3 : 2
}

/** Instructions that end with a jump to somewhere else, whatever is in the registers. */
const leaves: readonly string[] = ['exit', 'ja', 'gotol', 'gotox']

const reach = 0x7fff

function widened(insn: Insn, distance: number): readonly Insn[] {
  const { op, dst, src, imm } = insn
  if (op === 'ja') return [makeInsn('gotol', { imm: distance })]
  const around = opposite(op)
  const long = makeInsn('gotol', { imm: distance })
  if (around !== undefined) return [{ ...makeInsn(around), dst, src, imm, off: 1 }, long]
  return [{ ...insn, off: 1 }, makeInsn('ja', { off: 1 }), long]
}

/** A function's instructions, with labels resolved and jumps that go too far made long. */
export function layOut({ definition, items }: FunctionCode, cpu: CpuLevel): readonly PlacedInsn[] {
  const byLabel = new Map<LabelReference, number>()
  items.forEach((item, i) => {
    if (item.kind === 'label') byLabel.set(item.label, i)
    else checkCpu(item, cpu)
  })
  const targetOf = (item: InsnItem): number => {
    const at = item.label === undefined ? undefined : byLabel.get(item.label)
    if (at !== undefined) return at
    throw builderErrors.ASM_NO_LABEL({
      place: placeOf(item.trace),
      function: definition.name,
      label: labelName(item.label ?? ''),
      labels: [...byLabel.keys()].map(labelName),
    })
  }
  const targets = items.map((item) =>
    item.kind === 'insn' && item.label !== undefined ? targetOf(item) : -1,
  )
  const slots = items.map((item) => (item.kind === 'insn' ? slotsOf(item.insn) : 0)) as number[]
  const long = new Uint8Array(items.length)
  const starts = new Float64Array(items.length + 1)
  const distance = (i: number): number => (starts[targets[i] ?? 0] ?? 0) - (starts[i + 1] ?? 0)

  // Each round makes jumps longer and never shorter, so there is a last one.
  for (let settled = false; !settled;) {
    settled = true
    slots.forEach((count, i) => (starts[i + 1] = (starts[i] ?? 0) + count))
    items.forEach((item, i) => {
      if (item.kind === 'label' || item.label === undefined || long[i] === 1 || item.insn.op === 'gotol')
        return
      const far = distance(i)
      if (far >= -reach - 1 && far <= reach) return
      if (cpu !== 'v4') {
        const context = { insn: item.insn.op, label: labelName(item.label), distance: far, cpu }
        throw builderErrors.ASM_JUMP_RANGE({ place: placeOf(item.trace), ...context })
      }
      long[i] = 1
      slots[i] = widenedSlots(item.insn.op)
      settled = false
    })
  }
  checkEnd(definition, items, targets, starts)
  return items.flatMap((item, i) => {
    if (item.kind === 'label') return []
    const { insn, reference } = item
    const slot = starts[i] ?? 0
    if (item.label === undefined) return [{ slot, insn, reference, item }]
    const insns =
      long[i] === 1
        ? widened(insn, distance(i))
        : [insn.op === 'gotol' ? { ...insn, imm: distance(i) } : { ...insn, off: distance(i) }]
    return insns.map((one, n) => ({ slot: slot + n, insn: one, reference, item }))
  })
}

function checkCpu({ insn, trace }: InsnItem, cpu: CpuLevel): void {
  if (insn.op === 'raw') return
  const needs = cpuLevelOf(insn.op)
  if (needs > cpu) throw builderErrors.ASM_CPU({ place: placeOf(trace), insn: insn.op, needs, cpu })
}

function checkEnd(
  definition: FunctionCode['definition'],
  items: readonly CodeItem[],
  targets: readonly number[],
  starts: Float64Array,
): void {
  const last = items.findLast((item) => item.kind === 'insn')
  if (last === undefined || !leaves.includes(last.insn.op)) {
    const context = { function: definition.name, last: last?.insn.op ?? 'no instruction' }
    throw builderErrors.ASM_NO_EXIT({ place: placeOf(last?.trace ?? definition.trace), ...context })
  }
  const end = starts[items.length] ?? 0
  const beyond = targets.find((target) => target >= 0 && starts[target] === end)
  const label = beyond === undefined ? undefined : items[beyond]
  if (label?.kind !== 'label') return
  const context = { function: definition.name, last: `the label ${labelName(label.label)}` }
  throw builderErrors.ASM_NO_EXIT({ place: placeOf(label.trace), ...context })
}
