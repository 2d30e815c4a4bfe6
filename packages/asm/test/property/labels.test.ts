import { makeInsn, rowOf } from '@tsbpf/isa'
import type { Insn, OpName } from '@tsbpf/isa'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { subprogram } from '../../src/builder/definitions.ts'
import type { CodeItem } from '../../src/builder/function-code.ts'
import { layOut } from '../../src/builder/lay-out.ts'
import type { PlacedInsn } from '../../src/builder/lay-out.ts'

const conditions = ['jeq', 'jne', 'jgt', 'jge', 'jlt', 'jle', 'jset', 'jsgt', 'jsge', 'jslt', 'jsle'] as const
const definition = subprogram('generated', () => undefined)
const trace = {}
const operation = (): string => ''

/** Whether a jump goes, by RFC 9669 section 4.3, with `a` in its register. */
function goes(insn: Insn, a: bigint): boolean {
  if (insn.op === 'ja' || insn.op === 'gotol') return true
  const bits = insn.op.includes('32') ? 32 : 64
  const [x, y] = [BigInt.asUintN(bits, a), BigInt.asUintN(bits, BigInt(insn.imm))]
  const [s, t] = [BigInt.asIntN(bits, x), BigInt.asIntN(bits, y)]
  const table: Record<(typeof conditions)[number], boolean> = {
    jeq: x === y,
    jne: x !== y,
    jgt: x > y,
    jge: x >= y,
    jlt: x < y,
    jle: x <= y,
    jset: (x & y) !== 0n,
    jsgt: s > t,
    jsge: s >= t,
    jslt: s < t,
    jsle: s <= t,
  }
  return table[insn.op.replace(/(32)?_imm$/, '') as keyof typeof table]
}

type Piece =
  | { readonly label: number }
  | { readonly jump: OpName; readonly imm: number; readonly to: number }
  | { readonly pad: number }

const jumpOps = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<OpName>('ja', 'gotol') },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...conditions), fc.constantFrom('_imm', '32_imm'))
      .map(([name, suffix]) => rowOf(`${name}${suffix}`).name),
  },
)
const labelCount = 4
const pieces = (pad: fc.Arbitrary<number>, maxLength: number): fc.Arbitrary<readonly Piece[]> =>
  fc.array(
    fc.oneof(
      fc.record({ jump: jumpOps, imm: fc.constantFrom(-1, 0, 1, 2), to: fc.nat(labelCount - 1) }),
      fc.record({ pad }),
    ),
    { maxLength },
  )

/** The pieces with each label somewhere among them, and an end that falls through to nowhere. */
function itemsOf(body: readonly Piece[], places: readonly number[]): readonly CodeItem[] {
  const all: Piece[] = [...body]
  places.forEach((place, label) => all.splice(place % (all.length + 1), 0, { label }))
  const filler = makeInsn('add64_imm', { imm: 1 })
  const item = (insn: Insn, label?: string): CodeItem => {
    return { kind: 'insn', trace, insn, label, reference: undefined, operation }
  }
  const items = all.flatMap((piece): readonly CodeItem[] => {
    if ('label' in piece) return [{ kind: 'label', label: `l${piece.label}`, trace }]
    if ('pad' in piece) return Array.from({ length: piece.pad }, () => item(filler))
    const imm =
      rowOf(piece.jump).imm === 'any' && rowOf(piece.jump).target === 'off' ? { imm: piece.imm } : {}
    return [item(makeInsn(piece.jump, imm), `l${piece.to}`)]
  })
  return [...items, item(makeInsn('exit'))]
}

/** Where execution goes from a slot, with `a` in the register, after the instructions of one item. */
function leaves(bySlot: ReadonlyMap<number, PlacedInsn>, from: number, a: bigint): number {
  const { item } = bySlot.get(from)!
  let slot = from
  do {
    const { insn } = bySlot.get(slot)!
    const distance = insn.op === 'gotol' ? insn.imm : insn.off
    const jumps = rowOf(insn.op as OpName).target !== undefined && goes(insn, a)
    slot += 1 + (jumps ? distance : 0)
    // A jump to itself has left, too.
  } while (slot !== from && bySlot.get(slot)?.item === item)
  return slot
}

function agrees(items: readonly CodeItem[]): void {
  const placed = layOut({ definition, items }, 'v4')
  const bySlot = new Map(placed.map((one) => [one.slot, one]))
  expect(bySlot.size).toBe(placed.length)
  const startOf = new Map<CodeItem, number>()
  for (const { slot, item } of placed) if (!startOf.has(item)) startOf.set(item, slot)
  /** The slot of the first instruction from an item on: counted, not computed. */
  const slotFrom = (i: number): number => {
    const item = items[i]!
    return item.kind === 'insn' ? startOf.get(item)! : slotFrom(i + 1)
  }
  items.forEach((item, i) => {
    if (item.kind !== 'insn' || item.label === undefined) return
    const target = slotFrom(items.findIndex((one) => one.kind === 'label' && one.label === item.label))
    for (const a of [-2n, -1n, 0n, 1n, 2n, 3n]) {
      const expected = goes(item.insn, a) ? target : slotFrom(i + 1)
      expect(leaves(bySlot, startOf.get(item)!, a)).toBe(expected)
    }
  })
}

describe('labels', () => {
  const places = fc.array(fc.nat(20), { minLength: labelCount, maxLength: labelCount })

  it('lead where a naive reference says, near', () => {
    fc.assert(
      fc.property(pieces(fc.nat(3), 12), places, (body, at) => {
        agrees(itemsOf(body, at))
      }),
      { numRuns: 300 },
    )
  })

  it('lead where a naive reference says, far, by jumps that were made long', () => {
    fc.assert(
      fc.property(pieces(fc.constantFrom(0, 1, 32_765, 32_766, 32_767, 32_768), 6), places, (body, at) => {
        agrees(itemsOf(body, at))
      }),
      { numRuns: 10 },
    )
  }, 30_000)

  it('leaves a jump short that just reaches, and makes the next one long', () => {
    const wide = (pad: number) =>
      layOut(
        { definition, items: itemsOf([{ jump: 'jeq_imm', imm: 1, to: 0 }, { pad }], [2, 0, 0, 0]) },
        'v4',
      )
    expect(
      wide(32_767)
        .map(({ insn }) => insn.op)
        .slice(0, 2),
    ).toEqual(['jeq_imm', 'add64_imm'])
    expect(
      wide(32_768)
        .map(({ insn }) => insn.op)
        .slice(0, 3),
    ).toEqual(['jne_imm', 'gotol', 'add64_imm'])
  })
})
