import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import type { MadeType } from '../test/make-btf.ts'
import { parseBtf } from './parse-btf.ts'

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error.code
    throw error
  }
  return 'none'
}

const int = made.int('int', 4, 1)

it('resolve steps through typedefs and modifiers, and no further', () => {
  const btf = parseBtf(
    makeBtf([
      int,
      made.typedef('t', 3),
      made.const(4),
      made.volatile(5),
      made.restrict(6),
      made.typeTag('x', 7),
      made.ptr(2),
    ]),
  )
  expect(btf.resolve(2)).toMatchObject({ kind: 'ptr', id: 7 })
  expect(btf.resolve(1)).toMatchObject({ kind: 'int', id: 1 })
  expect(parseBtf(makeBtf([made.typedef('void_t', 0)])).resolve(1)).toMatchObject({ kind: 'void' })
})

describe('sizes', () => {
  const btf = parseBtf(
    makeBtf([
      int,
      made.array(1, 3),
      made.array(2, 5),
      made.typedef('grid', 3),
      made.var('v', 4),
      made.struct('s', 60, [['g', 4, 0]]),
      made.proto(0, []),
      made.func('f', 7),
      made.fwd('later'),
      made.array(6, 0xffff_ffff),
      made.array(9, 2),
      made.datasec('.data', 60, [[5, 0, 60]]),
      made.declTag('tag', 6),
      made.array(1, 0),
    ]),
  )
  it('go through arrays, typedefs and variables', () => {
    expect([1, 2, 3, 4, 5, 6, 12, 13, 14].map((id) => btf.sizeOf(id))).toEqual([
      4, 12, 60, 60, 60, 60, 60, 60, 0,
    ])
  })

  it.each([0, 7, 8, 9, 11])('type %i has none', (id) => {
    expect(code(() => btf.sizeOf(id))).toBe('BTF_NO_SIZE')
    if (id !== 0) expect(code(() => btf.alignOf(id))).toBe('BTF_NO_SIZE')
  })

  it('do not overflow', () => {
    expect(code(() => btf.sizeOf(10))).toBe('BTF_SIZE')
  })
})

describe('alignments', () => {
  const aligned = (...types: MadeType[]): number => parseBtf(makeBtf([int, ...types])).alignOf(2)
  it.each<readonly [string, number, MadeType[]]>([
    ['int', 1, [made.int('c', 1)]],
    ['128-bit int, as libbpf', 8, [made.int('i', 16)]],
    ['pointer', 8, [made.ptr(0)]],
    ['array', 4, [made.array(1, 7)]],
    ['empty struct', 1, [made.struct('s', 0, [])]],
    [
      'struct',
      4,
      [
        made.struct('s', 8, [
          ['a', 1, 0],
          ['b', 1, 32],
        ]),
      ],
    ],
    [
      'struct with a member off its place',
      1,
      [
        made.struct('s', 9, [
          ['a', 1, 8],
          ['b', 1, 40],
        ]),
      ],
    ],
    ['struct with a size that does not fit', 1, [made.struct('s', 6, [['a', 1, 0]])]],
    ['bitfields', 4, [made.struct('s', 4, [['a', 1, 3, 5]])]],
    [
      'struct in struct',
      8,
      [
        made.struct('s', 16, [['a', 3, 0]]),
        made.struct('t', 16, [
          ['p', 4, 0],
          ['n', 1, 64],
        ]),
        made.ptr(0),
      ],
    ],
    [
      'union',
      8,
      [
        made.union('u', 8, [
          ['a', 1, 0],
          ['p', 3, 0],
        ]),
        made.ptr(0),
      ],
    ],
  ])('of %s is %i', (_, align, types) => {
    expect(aligned(...types)).toBe(align)
  })
})

describe('types that never end', () => {
  const circle = parseBtf(
    makeBtf([made.typedef('a', 2), made.const(3), made.typedef('b', 1), made.array(4, 2)]),
  )
  it.each([1, 2, 3])('typedef %i has a coded error', (id) => {
    for (const ask of [() => circle.resolve(id), () => circle.sizeOf(id), () => circle.alignOf(id)]) {
      expect(code(ask)).toBe('BTF_CYCLE')
    }
  })
  it('an array of itself too', () => {
    expect(['BTF_CYCLE', 'BTF_SIZE']).toContain(code(() => circle.sizeOf(4)))
    expect(code(() => circle.alignOf(4))).toBe('BTF_CYCLE')
  })
  it('a struct of itself too, and asking again does not change it', () => {
    const btf = parseBtf(
      makeBtf([
        int,
        made.struct('s', 4, [
          ['i', 1, 0],
          ['s', 3, 0],
        ]),
        made.struct('t', 4, [['s', 2, 0]]),
      ]),
    )
    for (const id of [2, 3, 2]) expect(code(() => btf.alignOf(id))).toBe('BTF_CYCLE')
  })
  it('and a long chain does not overflow the stack', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) =>
      made.struct(`s${i}`, 4, [['next', i === 19_999 ? 1 : i + 3, 0]]),
    )
    expect(parseBtf(makeBtf([int, ...chain])).alignOf(2)).toBe(4)
  })
})
