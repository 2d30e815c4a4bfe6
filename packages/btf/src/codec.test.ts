import { isTsbpfError } from '@tsbpf/base'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import type { MadeType } from '../test/make-btf.ts'
import type { Codec } from './codec.ts'
import { codec } from './codec.ts'
import { parseBtf } from './parse-btf.ts'

const basic = [
  made.int('unsigned int', 4), // 1
  made.int('char', 1, 1),
  made.int('unsigned char', 1),
  made.int('_Bool', 1, 4),
  made.int('unsigned long', 8), // 5
  made.int('short', 2, 1),
  made.ptr(0),
  made.float('double', 8),
  made.enum('colour', [
    ['RED', 0],
    ['GREEN', 1],
    ['ALSO_GREEN', 1],
  ]),
  made.array(2, 8), // 10
  made.array(3, 4),
  made.array(1, 2),
  made.int('__int128', 16, 1),
  made.float('long double', 16),
  made.int('long', 8, 1), // 15
]
const last = basic.length

/** Codec of the first of some types behind the basic ones. */
function codecOf(types: readonly MadeType[], options: { little?: boolean; id?: number } = {}): Codec {
  const btf = parseBtf(makeBtf([...basic, ...types], { little: options.little ?? true }))
  return codec(btf, options.id ?? last + 1)
}
const one = (id: number, little = true): Codec => codecOf([], { id, little })

function refused(run: () => unknown): { code: string; message: string; hint: string | undefined } {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return { code: error.code, message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('nothing was thrown')
}

describe.each([true, false])('values, little endian %s', (little) => {
  it.each<readonly [number, unknown, number]>([
    [1, 4294967295, 4],
    [2, -128, 1],
    [3, 255, 1],
    [4, true, 1],
    [5, 0xffff_ffff_ffff_ffffn, 8],
    [6, -32768, 2],
    [7, 0xffff_8880_0000_0000n, 8],
    [8, -0.1, 8],
    [9, 'GREEN', 4],
    [9, 77, 4],
    [10, 'comm', 8],
    [10, '', 8],
    [10, 'acht___8', 8],
    [10, 'äöü', 8],
    [11, Uint8Array.of(1, 2, 3, 4), 4],
    [12, [1, 4294967295], 8],
    [13, -(1n << 127n), 16],
    [14, new Uint8Array(16).fill(9), 16],
    [15, -(1n << 63n), 8],
  ])('type %i: %o', (id, value, size) => {
    const found = one(id, little)
    const bytes = found.encode(value)
    expect([found.size, bytes.length]).toEqual([size, size])
    expect(found.decode(bytes)).toEqual(value)
    const shifted = new Uint8Array(size + 5)
    found.encodeInto(value, shifted, 3)
    expect(found.decode(shifted, 3)).toEqual(value)
    expect(found.decode(new DataView(shifted.buffer, 3))).toEqual(value)
    expect([shifted.subarray(0, 3), shifted.subarray(3 + size)]).toEqual([
      new Uint8Array(3),
      new Uint8Array(2),
    ])
  })

  it('are in the byte order of the BTF', () => {
    expect(one(1, little).encode(0x01020304)).toEqual(Uint8Array.from(little ? [4, 3, 2, 1] : [1, 2, 3, 4]))
    expect(one(13, little).encode(1n)[little ? 0 : 15]).toBe(1)
  })
})

it('numbers and bigints are taken alike where they fit', () => {
  expect(one(1).encode(7n)).toEqual(one(1).encode(7))
  expect(one(5).encode(7)).toEqual(one(5).encode(7n))
  expect(one(9).encode(1)).toEqual(one(9).encode('GREEN'))
  expect(one(9).encode('ALSO_GREEN')).toEqual(one(9).encode('GREEN'))
  expect(one(11).encode([1, 2, 3, 4])).toEqual(Uint8Array.of(1, 2, 3, 4))
  expect(one(12).encode(Uint32Array.of(1, 2))).toEqual(one(12).encode([1, 2]))
  expect(one(10).encode(Uint8Array.of(0x41))).toEqual(one(10).encode('A'))
})

it('decoded bytes are a copy', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4)
  const value = one(11).decode(bytes) as Uint8Array
  bytes[0] = 9
  expect(value[0]).toBe(1)
  expect(one(11).decode(new (class extends Uint8Array {})([5, 6, 7, 8]))).toEqual(Uint8Array.of(5, 6, 7, 8))
})

describe('wrong values', () => {
  it.each<readonly [number, unknown, string]>([
    [1, -1, 'value: expected an integer from 0 to 4294967295, got -1'],
    [1, 4294967296, 'value: expected an integer from 0 to 4294967295, got 4294967296'],
    [1, 1.5, 'value: expected an integer from 0 to 4294967295, got 1.5'],
    [1, '1', 'value: expected an integer from 0 to 4294967295, got "1"'],
    [1, undefined, 'value: expected an integer from 0 to 4294967295, got undefined'],
    [1, 1n << 80n, `value: expected an integer from 0 to 4294967295, got ${1n << 80n}n`],
    [2, 128, 'value: expected an integer from -128 to 127, got 128'],
    [5, -1n, 'value: expected an integer from 0 to 18446744073709551615, got -1n'],
    [5, 2 ** 60, `value: expected an integer from 0 to 18446744073709551615, got ${2 ** 60}`],
    [4, 1, 'value: expected a boolean, got 1'],
    [8, '1', 'value: expected a number, got "1"'],
    [
      9,
      'BLUE',
      'value: expected an enumerator of enum colour (RED, GREEN, ALSO_GREEN) or its number, got "BLUE"',
    ],
    [10, 'too long!', 'value: expected a string without NUL of at most 8 bytes of UTF-8, got "too long!"'],
    [10, 'ääääs', 'value: expected a string without NUL of at most 8 bytes of UTF-8, got "ääääs"'],
    [10, 'a\0b', 'value: expected a string without NUL of at most 8 bytes of UTF-8, got "a\\u0000b"'],
    [10, null, 'value: expected a string without NUL of at most 8 bytes of UTF-8, got null'],
    [11, new Uint8Array(3), 'value: expected 4 bytes, got 3 bytes'],
    [11, [1, 2, 3, 256], 'value[3]: expected an integer from 0 to 255, got 256'],
    [12, [1], 'value: expected an array of 2, got an array of 1'],
    [12, [1, 'x'], 'value[1]: expected an integer from 0 to 4294967295, got "x"'],
    [12, new Map(), 'value: expected an array of 2, got an object'],
  ])('type %i: %o', (id, value, message) => {
    expect(refused(() => one(id).encode(value))).toMatchObject({ code: 'BTF_VALUE', message })
  })

  it('are named by their path, and leave the bytes alone', () => {
    const outer = codecOf([
      made.struct('outer', 24, [
        ['id', 1, 0],
        ['points', last + 2, 64],
      ]),
      made.array(last + 3, 2),
      made.struct('point', 4, [
        ['x', 6, 0],
        ['y', 6, 16],
      ]),
    ])
    const bytes = new Uint8Array(24).fill(0x55)
    const error = refused(() => {
      outer.encodeInto({ id: 1, points: [{ x: 1 }, { x: 1, y: 40000 }] }, bytes)
    })
    expect(error.message).toBe('value.points[1].y: expected an integer from -32768 to 32767, got 40000')
    expect(error.hint).toBe('the value is encoded as struct outer')
    expect(bytes).toEqual(new Uint8Array(24).fill(0x55))
  })

  it('too few bytes', () => {
    for (const run of [
      () => one(5).decode(new Uint8Array(7)),
      () => one(5).decode(new Uint8Array(16), 9),
      () => one(5).decode(new Uint8Array(16), -1),
      () => one(5).encodeInto(1n, new Uint8Array(4)),
    ]) {
      expect(refused(run).code).toBe('BTF_VALUE')
    }
  })
})

describe('structs', () => {
  const types = [
    made.struct('s', 16, [
      ['a', 1, 0],
      ['', last + 2, 32],
      ['', 1, 64, 3],
      ['bits', 1, 67, 5],
    ]),
    made.union('', 4, [
      ['whole', 1, 0],
      ['', last + 3, 0],
    ]),
    made.struct('', 4, [
      ['low', 6, 0],
      ['high', 6, 16],
    ]),
  ]
  const found = codecOf(types)

  it('have the members of their anonymous members, and no unnamed bitfields', () => {
    const bytes = found.encode({ a: 1, low: 2, high: 3, bits: 31 })
    expect(found.decode(bytes)).toEqual({ a: 1, whole: 0x30002, low: 2, high: 3, bits: 31 })
    expect(found.encode(found.decode(bytes))).toEqual(bytes)
  })

  it('take zero for a missing member and refuse an unknown one', () => {
    expect(found.encode({})).toEqual(new Uint8Array(16))
    expect(found.encode({ a: undefined })).toEqual(new Uint8Array(16))
    const error = refused(() => found.encode({ A: 1, hihg: 2 }))
    expect(error.message).toBe('value.A: expected a member of the type, got 1')
    expect(refused(() => found.encode({ hihg: 2 })).hint).toContain('did you mean high?')
    expect(refused(() => found.encode(5)).message).toBe('value: expected an object, got 5')
    expect(refused(() => found.encode([1])).message).toBe('value: expected an object, got an array of 1')
  })

  it('take what only they own', () => {
    expect(found.encode(Object.create({ a: 5 }))).toEqual(new Uint8Array(16))
  })

  it('are safe with a member named __proto__', () => {
    const tricky = codecOf([
      made.struct('t', 8, [
        ['__proto__', 1, 0],
        ['constructor', 1, 32],
      ]),
    ])
    const value = tricky.decode(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0)) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.entries(value)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ])
    expect(tricky.encode(value)).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0))
    expect(tricky.encode({})).toEqual(new Uint8Array(8))
  })

  it('may have bitfields by the older encoding', () => {
    const old = codecOf([
      made.struct('o', 4, [
        ['a', last + 2, 0],
        ['b', last + 3, 3],
      ]),
      made.int('three', 4, 0, 3),
      made.int('five', 4, 1, 5, 2),
    ])
    const bytes = old.encode({ a: 5, b: -9 })
    expect(bytes).toEqual(Uint8Array.of(0b1110_0101, 0b10, 0, 0))
    expect(old.decode(bytes)).toEqual({ a: 5, b: -9 })
  })

  it('may be data sections', () => {
    const data = codecOf([
      made.datasec('.data', 8, [
        [last + 2, 0, 4],
        [last + 3, 4, 4],
      ]),
      made.var('x', 1),
      made.var('y', 9),
    ])
    expect(data.decode(data.encode({ x: 7, y: 'GREEN' }))).toEqual({ x: 7, y: 'GREEN' })
  })
})

describe('unions', () => {
  const found = codecOf([
    made.union('u', 8, [
      ['word', 1, 0],
      ['big', 5, 0],
      ['text', 10, 0],
    ]),
  ])

  it('take one member, or several that agree', () => {
    expect(found.encode({ word: 1 })).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))
    expect(found.encode({ text: 'ab' })).toEqual(Uint8Array.of(97, 98, 0, 0, 0, 0, 0, 0))
    expect(found.encode({ word: 1, big: 0x2_0000_0001n })).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0))
    const error = refused(() => found.encode({ word: 1, big: 2n }))
    expect(error.message).toBe(
      'value: expected one member of the union, or several that agree, got an object',
    )
    expect(error.hint).toBe('give one of word, big')
  })

  it('come back whole though their text has lost what is behind its NUL', () => {
    const bytes = Uint8Array.of(97, 0, 98, 99, 100, 101, 102, 103)
    expect(found.encode(found.decode(bytes))).toEqual(bytes)
  })
})

it('unions of unions with all members given cost no more than a moment', () => {
  const levels = Array.from({ length: 14 }, (_, i) => {
    const next = i === 13 ? 1 : last + i + 2
    return made.union('u', 4, [
      ['a', next, 0],
      ['b', next, 0],
    ])
  })
  const nest = codecOf(levels)
  const value = nest.decode(new Uint8Array(4))
  const start = cpuTime()
  const error = refused(() => nest.encode(value))
  expect(error.code).toBe('BTF_VALUE')
  expect(error.message).toContain('expected one member of each union')
  expect(cpuTime() - start).toBeLessThan(5000)
})

describe('types that have no values', () => {
  it.each<readonly [string, string, MadeType[]]>([
    ['void', 'BTF_NO_SIZE', [made.typedef('nothing', 0)]],
    ['function', 'BTF_NO_SIZE', [made.proto(0, [])]],
    ['forward', 'BTF_NO_SIZE', [made.fwd('later')]],
    ['struct of itself', 'BTF_CYCLE', [made.struct('s', 4, [['s', last + 1, 0]])]],
    ['int of three bytes', 'BTF_LAYOUT', [made.int('odd', 3)]],
    ['member outside', 'BTF_LAYOUT', [made.struct('s', 4, [['a', 1, 8]])]],
    ['member within a byte', 'BTF_LAYOUT', [made.struct('s', 8, [['a', 1, 4]])]],
    ['bitfield outside', 'BTF_LAYOUT', [made.struct('s', 4, [['a', 1, 30, 3]])]],
    ['bitfield wider than its type', 'BTF_LAYOUT', [made.struct('s', 16, [['a', 1, 0, 33]])]],
    ['bitfield of a pointer', 'BTF_LAYOUT', [made.struct('s', 8, [['a', 7, 0, 3]])]],
    ['variable outside', 'BTF_LAYOUT', [made.datasec('.x', 2, [[last + 2, 0, 4]]), made.var('v', 1)]],
    ['4 GiB', 'BTF_SIZE', [made.array(1, 0x7fff_ffff)]],
    ['values out of nothing', 'BTF_LAYOUT', [made.array(last + 2, 0x7fff_ffff), made.struct('empty', 0, [])]],
  ])('%s: %s', (_, code, types) => {
    expect(refused(() => codecOf(types)).code).toBe(code)
  })

  it('a deep nest does not overflow the stack', () => {
    const nest = Array.from({ length: 20_000 }, (_, i) =>
      made.struct('s', 4, [['n', i === 19_999 ? 1 : last + i + 2, 0]]),
    )
    expect(refused(() => codecOf(nest)).code).toBe('BTF_CYCLE')
  })

  it('members that multiply are refused', () => {
    // Ten levels of thirty members each, all in the same place: 30 to the 10th values out of four bytes.
    const levels = Array.from({ length: 10 }, (_, i) =>
      made.union(
        'u',
        4,
        Array.from({ length: 30 }, (_, j) => [`m${j}`, i === 9 ? 1 : last + i + 2, 0] as const),
      ),
    )
    expect(refused(() => codecOf(levels)).code).toBe('BTF_LAYOUT')
  })

  it('a value too large for memory is not made', () => {
    const huge = codecOf([made.array(3, 0xf000_0000)])
    expect(huge.size).toBe(0xf000_0000)
    expect(refused(() => huge.encode([])).code).toBe('BTF_SIZE')
  })
})

it('codecs are kept', () => {
  const btf = parseBtf(makeBtf(basic))
  expect(codec(btf, 5)).toBe(codec(btf, 5))
  expect(codec(btf, 5).type).toBe('unsigned long')
})

describe.each(['now', 'never'] as const)('many values, compiled %s', (compile) => {
  const types = [made.int('u32', 4), made.struct('s', 12, [['a', 1, 0], ['b', 1, 32]]), made.struct('none', 0, [])] // prettier-ignore
  const btf = parseBtf(makeBtf(types))
  const found = codec(btf, 2, { compile })
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i % 4 === 0 ? i / 4 : 0))

  it.each<readonly [object | undefined, unknown]>([
    [undefined, [[0, 1], [3, 4], [6, 7], [9, 10], [12, 13]]],
    [{ offset: 4 }, [[1, 2], [4, 5], [7, 8], [10, 11], [13, 14]]],
    [{ offset: 8 }, [[2, 3], [5, 6], [8, 9], [11, 12]]],
    [{ stride: 16 }, [[0, 1], [4, 5], [8, 9], [12, 13]]],
    [{ stride: 16, count: 2, offset: 4 }, [[1, 2], [5, 6]]],
    [{ stride: 0, count: 2 }, [[0, 1], [0, 1]]],
    [{ stride: 0 }, []],
    [{ stride: 4, offset: 48 }, [[12, 13], [13, 14]]],
    [{ count: 0 }, []],
    [{ offset: 60 }, []],
  ])('%o', (options, expected) => {
    const rows = (list: unknown[]): unknown => (list as { a: number; b: number }[]).map(({ a, b }) => [a, b])
    expect(rows(found.decodeMany(bytes, options))).toEqual(expected)
    expect(rows(found.decodeMany(new DataView(bytes.buffer), options))).toEqual(expected)
  }) // prettier-ignore

  it.each<readonly [object, string]>([
    [{ count: 6 }, 'bytes: expected 72 bytes at offset 0 for struct s, got 64 bytes in all'],
    [{ offset: 56, count: 1 }, 'bytes: expected 12 bytes at offset 56 for struct s, got 64 bytes in all'],
    [{ offset: -4, count: 1 }, 'bytes: expected 12 bytes at offset -4 for struct s, got 64 bytes in all'],
    [{ offset: NaN, count: 1 }, 'bytes: expected 12 bytes at offset NaN for struct s, got 64 bytes in all'],
    [{ stride: -1 }, 'value: expected a stride in bytes, got -1'],
    [{ stride: 1.5 }, 'value: expected a stride in bytes, got 1.5'],
    [{ count: -1 }, 'value: expected a count, got -1'],
    [{ count: Infinity }, 'value: expected a count, got Infinity'],
  ])('refused: %o', (options, message) => {
    expect(refused(() => found.decodeMany(bytes, options))).toMatchObject({ code: 'BTF_VALUE', message })
  })

  it('by a reader, which looks at nothing but the value', () => {
    const read = found.reader()
    const view = new DataView(bytes.buffer)
    for (const at of [0, 12, 52]) expect(read(view, at)).toEqual(found.decode(bytes, at))
    expect(() => read(view, 64)).toThrow(RangeError)
  })

  it('of no bytes', () => {
    expect(codec(btf, 3, { compile }).decodeMany(bytes)).toEqual([])
    expect(codec(btf, 3, { compile }).decodeMany(bytes, { count: 2 })).toEqual([{}, {}])
  })

  it('from large bytes, at their own offset', () => {
    const large = new Uint8Array(20_000).fill(1, 10_000, 10_012)
    const part = large.subarray(5000)
    expect(found.decode(part, 5000)).toEqual({ a: 0x01010101, b: 0x01010101 })
    expect(found.decodeMany(part, { offset: 5000, count: 1 })).toEqual([{ a: 0x01010101, b: 0x01010101 }])
    expect(found.decode(part, part.length - 12)).toEqual({ a: 0, b: 0 })
    expect(refused(() => found.decode(part, part.length - 11)).code).toBe('BTF_VALUE')
    // A view of large bytes is kept, their contents are not.
    part[5000] = 2
    expect(found.decode(part, 5000)).toEqual({ a: 0x01010102, b: 0x01010101 })
    expect(refused(() => found.decode(large.subarray(0, 8))).code).toBe('BTF_VALUE')
  })
})
