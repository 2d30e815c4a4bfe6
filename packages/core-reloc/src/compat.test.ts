import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { id, makeBtf } from '../test/make-btf.ts'
import type { Made } from '../test/make-btf.ts'
import { newBudget } from './budget.ts'
import { fieldMismatch, typeMismatch } from './compat.ts'
import { matchMismatch } from './type-match.ts'

/** Whether the last type of one list fits the last of the other, by each of the three rules. */
function rules(local: readonly Made[], target: readonly Made[]) {
  const sides = [makeBtf(local), id(local.length), makeBtf(target), id(target.length), newBudget()] as const
  const fits = (rule: typeof fieldMismatch): boolean | string => {
    try {
      return rule(...sides) === undefined
    } catch (error) {
      return isTsbpfError(error) ? error.code : String(error)
    }
  }
  return { field: fits(fieldMismatch), type: fits(typeMismatch), match: fits(matchMismatch) }
}

const int: Made = { int: 'int', size: 4, encoding: 1 }
const uint: Made = { int: 'int', size: 4 }
const long: Made = { int: 'int', size: 8, encoding: 1 }
const oldBitfield: Made = { int: 'int', size: 4, encoding: 1, offset: 3 }
const point: Made[] = [
  int,
  {
    struct: 'point',
    size: 8,
    members: [
      ['x', 1, 0],
      ['y', 1, 32],
    ],
  },
]
const other: Made[] = [int, { struct: 'other', size: 4, members: [['x', 1, 0]] }]
const union: Made[] = [int, { struct: 'point', size: 4, members: [['x', 1, 0]], union: true }]
const red: Made = { enum: 'colour', values: [['RED', 1]] }
const red64: Made = { enum64: 'colour', values: [['RED', 1n]] }
const nameless: Made = { enum: '', values: [['RED', 7]] }
const hue: Made = { enum: 'hue', values: [['RED', 1]] }
const ptr = (types: Made[]): Made[] => [...types, { ptr: types.length }]
const array = (types: Made[], length: number): Made[] => [...types, { array: types.length, length }]
const typedef = (types: Made[], name: string): Made[] => [...types, { typedef: name, to: types.length }]
const volatile = (types: Made[]): Made[] => [...types, { volatile: types.length }]
const proto = (types: Made[], ...params: number[]): Made[] => [...types, { proto: 1, params }]
const chain = (length: number): Made[] => [int, ...Array.from({ length }, (_, i): Made => ({ ptr: i + 1 }))]

describe('fields, types and type_matches', () => {
  it.each<[string, Made[], Made[], boolean | string, boolean | string, boolean | string]>([
    ['the same int', [int], [int], true, true, true],
    ['ints of other sign', [int], [uint], true, true, false],
    ['ints of other size', [int], [long], true, true, false],
    ['an int that is an old bitfield', [int], [oldBitfield], false, false, true],
    ['an int for a float', [int], [{ float: 'int', size: 4 }], false, false, false],
    ['floats', [{ float: 'f', size: 4 }], [{ float: 'f', size: 8 }], true, false, false],
    ['the same struct', point, point, true, true, true],
    ['a struct for another', point, other, true, true, false],
    ['a union for a struct', point, union, true, false, false],
    [
      'a struct with fewer members',
      other,
      [int, { struct: 'other', size: 4, members: [] }],
      true,
      true,
      false,
    ],
    ['enums of other width', [red], [red64], true, true, false],
    ['enums of other name', [red], [hue], false, true, false],
    ['an enum without a name', [red], [nameless], true, true, false],
    ['an enum for an int', [red], [int], false, false, false],
    ['pointers', ptr(point), ptr(point), true, true, true],
    ['pointers to other things', ptr(point), ptr([int]), true, false, false],
    ['a pointer to a struct, and to a union of its name', ptr(point), ptr(union), true, false, false],
    ['a pointer to a struct that is only declared', ptr(point), ptr([{ fwd: 'point' }]), true, false, true],
    [
      'a pointer to a union that is only declared',
      ptr(union),
      ptr([{ fwd: 'point', union: true }]),
      true,
      false,
      true,
    ],
    [
      'a pointer to a declared struct that is defined',
      ptr([{ fwd: 'point' }]),
      ptr(point),
      true,
      false,
      true,
    ],
    [
      'a pointer to a declared struct that is a union',
      ptr([{ fwd: 'point' }]),
      ptr(union),
      true,
      false,
      false,
    ],
    ['declarations of struct and union', [{ fwd: 'a' }], [{ fwd: 'a', union: true }], true, true, false],
    ['declarations by other names', [{ fwd: 'a' }], [{ fwd: 'b' }], false, true, false],
    ['arrays of other length', array([int], 3), array([int], 4), true, true, false],
    ['arrays of other elements', array(point, 3), array([int], 3), false, false, false],
    [
      'a typedef for a modifier',
      typedef(volatile([int]), 'a'),
      volatile(typedef([int], 'b')),
      true,
      false,
      true,
    ],
    ['a typedef for another', typedef([int], 'a'), typedef(volatile([int]), 'b'), true, true, true],
    ['functions', proto(point, 1, 2), proto(point, 1, 2), false, true, true],
    ['functions of other parameters', proto(point, 1, 2), proto(point, 1, 1), false, false, false],
    ['functions of fewer parameters', proto(point, 1, 2), proto(point, 1), false, false, false],
    ['32 links', chain(31), chain(31), true, true, true],
    ['33 links', chain(32), chain(32), true, 'CORE_LIMIT', 'CORE_LIMIT'],
  ])('%s', (_, local, target, field, type, match) => {
    expect(rules(local, target)).toEqual({ field, type, match })
  })

  it('follow struct members that lead back, and end', () => {
    const loop: Made[] = [
      {
        struct: 'a',
        size: 8,
        members: [
          ['a', 1, 0],
          ['b', 1, 0],
        ],
      },
    ]
    expect(rules(loop, loop)).toEqual({ field: true, type: true, match: 'CORE_LIMIT' })
    const self: Made[] = [{ proto: 1, params: [1, 1] }]
    expect(rules(self, self)).toEqual({ field: false, type: 'CORE_LIMIT', match: 'CORE_LIMIT' })
  })

  it('end soon where every level has two ways on that differ at the end', () => {
    const doubling = (end: string): Made[] => [
      { int: end, size: 4 },
      ...Array.from({ length: 30 }, (_, i): Made => ({
        struct: `s${i}`,
        size: 4,
        members: [
          ['a___1', i + 1, 0],
          ['a___2', i + 1, 0],
        ],
      })),
    ]
    expect(rules(doubling('int'), doubling('long')).match).toBe('CORE_LIMIT')
  })

  it('compare members by name, whatever their order', () => {
    const more: Made[] = [
      int,
      long,
      {
        struct: 'point',
        size: 16,
        members: [
          ['y', 1, 0],
          ['z', 2, 64],
          ['x', 1, 32],
        ],
      },
    ]
    expect(rules(point, more).match).toBe(true)
    expect(rules(more, point).match).toBe(false)
  })
})
