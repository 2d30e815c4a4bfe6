import { isTsbpfError } from '@tsbpf/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dialect, Insn } from '../../src/index.ts'
import {
  decodeInsns,
  dialects,
  encodeInsns,
  formatInsn,
  instructionSet,
  parseInsn,
  parseInsns,
  targetOf,
} from '../../src/index.ts'
import { insns, insnsOf } from '../arbitraries.ts'
import { textLosses } from '../text-losses.ts'

/** LLVM names registers up to r11. */
const printable = (insn: Insn, dialect: Dialect): boolean =>
  dialect !== 'llvm' || (insn.dst <= 11 && (insn.src <= 11 || insn.op.startsWith('lddw')))

describe.each(dialects)('parse∘print = id in %s', (dialect) => {
  const losses = textLosses[dialect]

  it.each(instructionSet.map((row) => [row.name, row] as const))('%s', (op, row) => {
    const readAs = losses[op]?.readAs ?? ((insn: Insn) => insn)
    let lost = false
    fc.assert(
      fc.property(insnsOf(row), fc.boolean(), (insn, alu32) => {
        fc.pre(printable(insn, dialect))
        const text = formatInsn(insn, dialect, { alu32 })
        const read = parseInsn(text, dialect)
        expect(read).toEqual(readAs(insn))
        expect(formatInsn(read, dialect, { alu32 })).toBe(text)
        lost ||= JSON.stringify(read) !== JSON.stringify(insn)
      }),
    )
    // A loss that is none any more is to be struck from the list.
    expect(lost).toBe(losses[op] !== undefined)
  })

  it('however little or much space there is', () => {
    fc.assert(
      fc.property(insns, fc.constantFrom(' ', '\t', '   '), (insn, space) => {
        fc.pre(printable(insn, dialect))
        const text = formatInsn(insn, dialect)
        expect(parseInsn(`${space}${text.replaceAll(/\s/g, space)}${space}`, dialect)).toEqual(
          parseInsn(text, dialect),
        )
      }),
    )
  })

  it('any text gives instructions or a coded error', () => {
    const words = fc.constantFrom(
      'r1',
      'w2',
      '%',
      '=',
      '+',
      '-',
      '0x5',
      '99',
      '(',
      'u64',
      '*',
      ')',
      ';',
      'call',
      '#',
    )
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((list) => list.join(' ')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseInsns(text, { dialect })
        } catch (error) {
          if (!isTsbpfError(error, 'ISA_TEXT')) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('a changed text gives another instruction, or an error that names a place in it', () => {
    fc.assert(
      fc.property(insns, fc.nat(), fc.constantFrom('', '~', 'x', '9', ' '), (insn, at, change) => {
        fc.pre(printable(insn, dialect))
        const text = formatInsn(insn, dialect)
        const changed = text.slice(0, at % text.length) + change + text.slice((at % text.length) + 1)
        try {
          formatInsn(parseInsn(changed, dialect), dialect)
        } catch (error) {
          if (!isTsbpfError(error, 'ISA_TEXT')) throw error
          const [problem] = error.context['problems'] as readonly { line: number; column: number }[]
          expect(problem?.line).toBe(1)
          expect(problem?.column).toBeGreaterThan(0)
          expect(problem?.column).toBeLessThanOrEqual(changed.length + 1)
        }
      }),
    )
  })
})

it('conformance writes and reads any slots, raw ones too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 })),
      fc.boolean(),
      (slots, littleEndian) => {
        const bytes = new Uint8Array([...slots.flatMap((slot) => [...slot]), ...new Uint8Array(8)])
        const list = [...decodeInsns(bytes, { littleEndian })].map((at) => at.insn)
        const text = list.map((insn) => formatInsn(insn, 'conformance')).join('\n')
        const read = parseInsns(text, { dialect: 'conformance' })
        expect(read.insns).toEqual(list)
        expect(encodeInsns(read.insns, { littleEndian })).toEqual(bytes)
      },
    ),
  )
})

describe.each(dialects)('labels in %s', (dialect) => {
  it('give the distances that the slots between them say', () => {
    const jumps = instructionSet.filter(
      (row) => row.target !== undefined && !(dialect === 'llvm' && row.name === 'call_subprogram'),
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(insns, fc.constantFrom(...jumps).chain(insnsOf)), { minLength: 1 }),
        fc.infiniteStream(fc.nat()),
        (list, targets) => {
          fc.pre(
            list.every(
              (insn) => printable(insn, dialect) && textLosses[dialect][insn.op as 'exit'] === undefined,
            ),
          )
          // A naive reference: every instruction has a label, every jump goes to a chosen one.
          const slots: number[] = []
          let slot = 0
          for (const insn of list) {
            slots.push(slot)
            slot += insn.nextImm === undefined ? 1 : 2
          }
          const chosen = list.map(() => (targets.next().value ?? 0) % list.length)
          const lines = list.map((insn, i) => {
            const text = formatInsn(insn, dialect)
            const named =
              targetOf(insn, 0) === undefined
                ? text
                : text.replace(/(?:pc)?[+-]?(?:0x)?[\da-f]+$/, `L${chosen[i]}`)
            return `L${i}: ${named}`
          })
          const read = parseInsns(lines.join('\n'), { dialect })
          expect([...read.labels]).toEqual(slots.map((at, i) => [`L${i}`, at]))
          for (const [i, insn] of read.insns.entries()) {
            const own = list[i]
            if (own === undefined || targetOf(own, 0) === undefined) expect(insn).toEqual(own)
            else expect(targetOf(insn, slots[i] ?? 0)).toBe(slots[chosen[i] ?? 0])
          }
        },
      ),
    )
  })
})
