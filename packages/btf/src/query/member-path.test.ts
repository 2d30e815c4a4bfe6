import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../../test/make-btf.ts'
import type { MadeType } from '../../test/make-btf.ts'
import { formatType } from '../format-type.ts'
import { parseBtf } from '../parse-btf.ts'
import { memberPath } from './member-path.ts'
import { members } from './members.ts'

const types: MadeType[] = [
  made.int('unsigned int', 4), // 1
  made.int('unsigned long', 8),
  made.array(4, 3),
  made.struct('point', 8, [['x', 1, 0], ['y', 1, 32]]), // prettier-ignore
  made.union('', 8, [['whole', 2, 0], ['', 6, 0]]), // prettier-ignore
  made.struct('', 8, [['low', 1, 0], ['', 1, 32, 5], ['bits', 1, 37, 3]]), // prettier-ignore
  made.array(1, 0),
  made.ptr(4),
  made.typedef('outer_t', 10),
  made.const(11), // 10
  made.struct('outer', 64, [
    ['points', 3, 64],
    ['', 5, 256],
    ['next', 8, 320],
    ['grid', 12, 384],
    ['a.b', 1, 480],
    ['tail', 7, 512],
  ]),
  made.array(13, 1),
  made.array(1, 2),
  made.var('config', 9),
  made.datasec('.data', 80, [[14, 16, 64]]), // 15
  made.struct('loop', 4, [['', 17, 0]]),
  made.const(16),
  made.fwd('later'),
  made.struct('bad', 8, [['later', 18, 0], ['good', 1, 32]]), // prettier-ignore
  made.int('old', 4, 0, 3, 2), // 20
  made.struct('legacy', 4, [['flag', 20, 3]]),
]
const btf = parseBtf(makeBtf(types))
const outer = 9

describe('a path', () => {
  it.each<readonly [string, string, number, number, boolean]>([
    ['points', 'struct point[3]', 64, 192, false],
    ['points[2]', 'struct point', 192, 64, false],
    ['points[2].y', 'unsigned int', 224, 32, false],
    ['whole', 'unsigned long', 256, 64, false],
    ['low', 'unsigned int', 256, 32, false],
    ['bits', 'unsigned int', 293, 3, true],
    ['next', 'struct point *', 320, 64, false],
    ['grid[0][1]', 'unsigned int', 416, 32, false],
    ['grid[0]', 'unsigned int[2]', 384, 64, false],
    ['tail', 'unsigned int[]', 512, 0, false],
    ['tail[7]', 'unsigned int', 736, 32, false],
    ['.points[1]', 'struct point', 128, 64, false],
  ])('%s', (path, type, offsetBits, sizeBits, bitfield) => {
    const place = memberPath(btf, outer, path)
    expect([formatType(btf, place.type), place.offsetBits, place.sizeBits, place.bitfield]).toEqual([
      type,
      offsetBits,
      sizeBits,
      bitfield,
    ])
  })

  it('can be given in steps, and starts at arrays, variables and data sections too', () => {
    expect(memberPath(btf, outer, ['a.b'])).toMatchObject({ name: 'a.b', offsetBits: 480 })
    expect(memberPath(btf, outer, ['points', 1, 'y'])).toMatchObject({ name: 'y', offsetBits: 160 })
    expect(memberPath(btf, 3, '[1].y')).toMatchObject({ name: 'y', offsetBits: 96 })
    expect(memberPath(btf, 14, 'low')).toMatchObject({ offsetBits: 256 })
    expect(memberPath(btf, 15, 'config')).toMatchObject({ type: 14, offsetBits: 128, sizeBits: 512 })
    expect(memberPath(btf, 21, 'flag')).toMatchObject({ offsetBits: 5, sizeBits: 3, bitfield: true })
    // What is wrong with other members does not matter.
    expect(memberPath(btf, 19, 'good')).toMatchObject({ offsetBits: 32 })
  })

  it.each<readonly [number, string | readonly (string | number)[], string, string]>([
    [
      outer,
      'pionts',
      'struct outer: pionts: expected a member of struct outer, got "pionts"',
      'did you mean points?',
    ],
    [outer, 'points[3]', 'struct point[3]: points[3]: expected an index from 0 to 2, got 3', 'members('],
    [outer, ['points', -1], 'struct point[3]: points[-1]: expected an index from 0 to 2, got -1', ''],
    [outer, ['tail', 0.5], 'unsigned int[]: tail[0.5]: expected an index, got 0.5', ''],
    [outer, ['tail', 2 ** 50], 'outer_t: tail[1125899906842624]: expected an element within 2^53 bits', ''],
    [
      outer,
      'points.x',
      'struct point[3]: points.x: expected a struct, union or data section, got struct point[3]',
      '',
    ],
    [outer, 'low[0]', 'unsigned int: low[0]: expected an array, got unsigned int', ''],
    [
      outer,
      'next.x',
      'struct point *: next.x: expected a struct, union or data section',
      'does not follow pointers',
    ],
    [outer, 'next[0]', 'struct point *: next[0]: expected an array', 'does not follow pointers'],
    [outer, '', "outer_t: : expected a member's name or an index, got nothing", ''],
    [outer, 'points[x]', 'outer_t: points[x]: expected a path as a.b[2].c, got "[x]" at 6', ''],
    [outer, 'points..x', 'outer_t: points..x: expected a path as a.b[2].c, got "..x" at 6', ''],
    [outer, 'points[1]y', 'outer_t: points[1]y: expected a path as a.b[2].c, got "y" at 9', ''],
    [outer, [''], 'struct outer: : expected a member of struct outer, got ""', ''],
    [1, 'x', 'unsigned int: x: expected a struct, union or data section, got unsigned int', ''],
    [16, 'x', 'struct loop: x: expected a member of struct loop, got "x"', 'there is none'],
  ])('of %i wrong: %j', (id, path, message, hint) => {
    const error = caught(() => memberPath(btf, id, path))
    expect(error.code).toBe('BTF_MEMBER')
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })
})

function caught(run: () => unknown): { code: string; message: string; hint: string | undefined } {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return { code: error.code, message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('members', () => {
  it('are listed with those of anonymous members in their place', () => {
    const rows = members(btf, outer).map(({ name, offsetBits, sizeBits }) => [name, offsetBits, sizeBits])
    expect(rows).toEqual([
      ['points', 64, 192],
      ['whole', 256, 64],
      ['low', 256, 32],
      ['bits', 293, 3],
      ['next', 320, 64],
      ['grid', 384, 64],
      ['a.b', 480, 32],
      ['tail', 512, 0],
    ])
    expect(members(btf, 15)).toEqual([
      { name: 'config', type: 14, offsetBits: 128, sizeBits: 512, bitfield: false },
    ])
  })

  it('are where memberPath says', () => {
    for (const place of members(btf, outer)) expect(memberPath(btf, outer, [place.name])).toEqual(place)
  })

  it.each([
    [1, 'BTF_MEMBER'],
    [0, 'BTF_MEMBER'],
    [16, 'BTF_CYCLE'],
    [19, 'BTF_NO_SIZE'],
    [99, 'BTF_TYPE_ID'],
  ])('of %i: %s', (id, code) => {
    expect(caught(() => members(btf, id)).code).toBe(code)
  })

  it('that multiply cost no more than a moment', () => {
    // Ten levels of thirty anonymous members each.
    const levels = Array.from({ length: 10 }, (_, level) =>
      made.union(
        level === 0 ? 'u' : '',
        4,
        Array.from(
          { length: 30 },
          (_, i) => [level === 9 ? `m${i}` : '', level === 9 ? 11 : level + 2, 0] as const,
        ),
      ),
    )
    const many = parseBtf(makeBtf([...levels, made.int('int', 4)]))
    expect(caught(() => members(many, 1)).code).toBe('BTF_LAYOUT')
    expect(caught(() => memberPath(many, 1, 'nothing')).code).toBe('BTF_MEMBER')
    expect(memberPath(many, 1, 'm29').sizeBits).toBe(32)
  })
})
