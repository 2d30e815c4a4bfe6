import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import type { MadeType } from '../test/make-btf.ts'
import type { BtfType } from './btf-type.ts'
import { parseBtf } from './parse-btf.ts'

function failure(run: () => unknown): TsbpfError {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const int = made.int('int', 4, 1)

/** Id 1 is `int`; the type of each row is id 2. */
const kinds: readonly (readonly [what: string, type: MadeType, decoded: object])[] = [
  [
    'int',
    made.int('flag', 1, 4, 8),
    { name: 'flag', size: 1, bits: 8, offsetBits: 0, signed: false, char: false, bool: true },
  ],
  [
    'int',
    made.int('c', 1, 2),
    { name: 'c', size: 1, bits: 8, offsetBits: 0, signed: false, char: true, bool: false },
  ],
  [
    'int',
    made.int('old', 4, 1, 3, 5),
    { name: 'old', size: 4, bits: 3, offsetBits: 5, signed: true, char: false, bool: false },
  ],
  ['ptr', made.ptr(1), { type: 1 }],
  ['array', made.array(1, 0xffff_ffff, 1), { type: 1, indexType: 1, length: 0xffff_ffff }],
  [
    'struct',
    made.struct('s', 8, [
      ['a', 1, 0],
      ['', 1, 32],
    ]),
    {
      name: 's',
      size: 8,
      kindFlag: false,
      members: [
        { name: 'a', type: 1, offsetBits: 0, bitfieldSizeBits: 0 },
        { name: '', type: 1, offsetBits: 32, bitfieldSizeBits: 0 },
      ],
    },
  ],
  [
    'struct',
    made.struct('b', 8, [
      ['a', 1, 3, 5],
      ['b', 1, 0xff_fff0, 0],
    ]),
    {
      name: 'b',
      size: 8,
      kindFlag: true,
      members: [
        { name: 'a', type: 1, offsetBits: 3, bitfieldSizeBits: 5 },
        { name: 'b', type: 1, offsetBits: 0xff_fff0, bitfieldSizeBits: 0 },
      ],
    },
  ],
  ['union', made.union('u', 4, []), { name: 'u', size: 4, kindFlag: false, members: [] }],
  [
    'enum',
    made.enum('e', [
      ['A', 1],
      ['B', -1],
    ]),
    {
      name: 'e',
      size: 4,
      signed: false,
      values: [
        { name: 'A', value: 1n },
        { name: 'B', value: 0xffff_ffffn },
      ],
    },
  ],
  [
    'enum',
    made.enum('e', [['B', -1]], true, 1),
    { name: 'e', size: 1, signed: true, values: [{ name: 'B', value: -1n }] },
  ],
  ['fwd', made.fwd('f'), { name: 'f', union: false }],
  ['fwd', made.fwd('f', true), { name: 'f', union: true }],
  ['typedef', made.typedef('t', 1), { name: 't', type: 1 }],
  ['volatile', made.volatile(1), { type: 1 }],
  ['const', made.const(0), { type: 0 }],
  ['restrict', made.restrict(1), { type: 1 }],
  ['func', made.func('f', 1, 0), { name: 'f', type: 1, linkage: 'static' }],
  ['func', made.func('f', 1, 2), { name: 'f', type: 1, linkage: 'extern' }],
  ['func', made.func('f', 1, 7), { name: 'f', type: 1, linkage: 'unknown' }],
  [
    'func_proto',
    made.proto(0, [
      ['a', 1],
      ['', 0],
    ]),
    {
      returnType: 0,
      params: [
        { name: 'a', type: 1 },
        { name: '', type: 0 },
      ],
    },
  ],
  ['var', made.var('v', 1, 1), { name: 'v', type: 1, linkage: 'global' }],
  [
    'datasec',
    made.datasec('.bss', 8, [[1, 4, 4]]),
    { name: '.bss', size: 8, vars: [{ type: 1, offset: 4, size: 4 }] },
  ],
  ['float', made.float('double', 8), { name: 'double', size: 8 }],
  ['decl_tag', made.declTag('d', 1), { name: 'd', type: 1, component: -1, kindFlag: false }],
  ['decl_tag', made.declTag('d', 1, 3, true), { name: 'd', type: 1, component: 3, kindFlag: true }],
  ['type_tag', made.typeTag('user', 1), { name: 'user', type: 1, kindFlag: false }],
  [
    'enum64',
    made.enum64('w', [['A', 0xfedc_ba98_7654_3210n]]),
    { name: 'w', size: 8, signed: false, values: [{ name: 'A', value: 0xfedc_ba98_7654_3210n }] },
  ],
  [
    'enum64',
    made.enum64('w', [['A', -2n]], true),
    { name: 'w', size: 8, signed: true, values: [{ name: 'A', value: -2n }] },
  ],
]

describe.each([
  ['little', true],
  ['big', false],
] as const)('%s-endian BTF', (_, little) => {
  it.each(kinds)('%s is decoded (%#)', (kind, type, decoded) => {
    const btf = parseBtf(makeBtf([int, type, int], { little }))
    expect([btf.littleEndian, btf.endId, btf.kind(2), btf.kind(3)]).toEqual([little, 4, kind, 'int'])
    expect(btf.type(2)).toEqual({ kind, id: 2, ...decoded })
    expect(btf.nameOf(2)).toBe('name' in decoded ? decoded.name : '')
    expect(btf.type(2)).toBe(btf.type(2))
  })

  it('is read at any alignment', () => {
    const bytes = makeBtf([int, made.ptr(1)], { little })
    for (let shift = 1; shift < 8; shift++) {
      const shifted = new Uint8Array(bytes.length + shift)
      shifted.set(bytes, shift)
      const btf = parseBtf(shifted.subarray(shift))
      expect([btf.nameOf(1), btf.type(2)]).toEqual(['int', { kind: 'ptr', id: 2, type: 1 }])
    }
  })

  it('is read behind a longer header', () => {
    const btf = parseBtf(makeBtf([int], { little, headerSize: 48 }))
    expect([btf.endId, btf.nameOf(1)]).toEqual([2, 'int'])
  })
})

it('void is id 0, and an empty BTF has nothing else', () => {
  const btf = parseBtf(makeBtf([]))
  expect([btf.firstId, btf.endId, btf.type(0), btf.kind(0), btf.nameOf(0)]).toEqual([
    1,
    1,
    { kind: 'void', id: 0 },
    'void',
    '',
  ])
  expect(btf.pointerSize).toBe(8)
})

it('takes a vlen of more than 16 bits', () => {
  const members = Array.from({ length: 70_000 }, (_, i) => [`m${i}`, 1, i * 32] as const)
  const btf = parseBtf(makeBtf([int, made.struct('huge', 280_000, members), int]))
  const type = btf.find('huge', 'struct')
  expect([type?.members.length, type?.members[69_999]?.name, btf.endId]).toEqual([70_000, 'm69999', 4])
})

it('gives plain bytes of a subclass, such as a Buffer', () => {
  class Special extends Uint8Array {}
  expect(parseBtf(new Special(makeBtf([int]))).bytes.constructor).toBe(Uint8Array)
})

describe('the size of a pointer', () => {
  it.each([
    ['long int', 8, 8],
    ['unsigned long', 4, 4],
    ['long long', 4, 8],
    ['long', 2, 8],
  ])('with %s of %i bytes is %i', (name, size, pointer) => {
    expect(parseBtf(makeBtf([int, made.int(name, size)])).pointerSize).toBe(pointer)
  })
})

describe('split BTF', () => {
  const baseBytes = makeBtf([int, made.struct('a', 4, [['x', 1, 0]]), made.int('long', 4)])
  const base = parseBtf(baseBytes, { name: 'base' })
  const first = new Map([
    ['x', 7],
    ['a', 5],
  ])
  const bytes = makeBtf(
    [made.ptr(2), made.struct('own', 8, [['x', 4, 0]]), made.struct('a', 4, []), made.ptr(99)],
    {
      firstString: base.endString,
      baseStrings: first,
    },
  )
  const split = parseBtf(bytes, { base, name: 'module' })

  it('continues ids and strings', () => {
    expect([base.string(5), base.string(7)]).toEqual(['a', 'x'])
    expect([split.firstId, split.endId, split.base]).toEqual([4, 8, base])
    expect(split.type(2)).toBe(base.type(2))
    expect(split.type(5)).toMatchObject({ name: 'own', members: [{ name: 'x', type: 4 }] })
    expect(split.string(base.endString)).toBe('own')
    expect(split.resolve(1)).toBe(base.type(1))
    expect([split.pointerSize, split.sizeOf(4), split.alignOf(2)]).toEqual([4, 4, 4])
  })

  it('finds names of both, the base first', () => {
    expect(split.idsByName('a')).toEqual([2, 6])
    expect(split.candidates('a')).toEqual([2, 6])
    expect(split.idsByName('own')).toEqual([5])
    expect(split.find('int', 'int')?.id).toBe(1)
    expect(base.idsByName('own')).toEqual([])
  })

  it('does not refer beyond itself', () => {
    expect(failure(() => split.type(7))).toMatchObject({
      code: 'BTF_REFERENCE',
      context: { file: 'module', path: 'types[7].type' },
    })
    expect(failure(() => split.type(8)).code).toBe('BTF_TYPE_ID')
  })

  it('may have no strings of its own', () => {
    const none = makeBtf([made.ptr(1)], { firstString: base.endString })
    expect(parseBtf(none, { base }).type(4)).toEqual({ kind: 'ptr', id: 4, type: 1 })
    expect(failure(() => parseBtf(none)).code).toBe('BTF_HEADER')
  })
})

describe('data that lies', () => {
  const good = (): Uint8Array => makeBtf([int, made.ptr(1)])
  const put =
    (at: number, value: number, bits = 32) =>
    (bytes: Uint8Array): Uint8Array => {
      const view = new DataView(bytes.buffer)
      if (bits === 8) view.setUint8(at, value)
      else view.setUint32(at, value, true)
      return bytes
    }
  const cases: readonly (readonly [string, string, string, (bytes: Uint8Array) => Uint8Array])[] = [
    ['no bytes', 'BTF_NOT_BTF', 'magic', () => new Uint8Array()],
    ['text', 'BTF_NOT_BTF', 'magic', () => new TextEncoder().encode('text')],
    ['half a header', 'BTF_TRUNCATED', 'header', (bytes) => bytes.subarray(0, 20)],
    ['version', 'BTF_VERSION', 'version', put(2, 2, 8)],
    ['flags', 'BTF_VERSION', 'flags', put(3, 1, 8)],
    ['short header', 'BTF_HEADER', 'hdr_len', put(4, 20)],
    ['long header', 'BTF_TRUNCATED', 'hdr_len', put(4, 0xffff_fff0)],
    ['unaligned types', 'BTF_HEADER', 'type_off', put(8, 2)],
    ['types behind strings', 'BTF_HEADER', 'type_len', put(12, 0xffff_fff0)],
    ['strings outside', 'BTF_TRUNCATED', 'str_off', put(16, 0xffff_0000)],
    ['strings too long', 'BTF_TRUNCATED', 'str_len', put(20, 0xffff_ffff)],
    ['no strings', 'BTF_HEADER', 'str_len', put(20, 0)],
    ['first string', 'BTF_STRING', 'strings[0]', put(24 + 28, 65, 8)],
    ['last string', 'BTF_STRING', 'strings[4]', (bytes) => bytes.fill(65, bytes.length - 1)],
    ['kind 0', 'BTF_KIND', 'types[1].info', put(28, 0)],
    ['kind 20', 'BTF_KIND', 'types[1].info', put(28, 20 << 24)],
    ['kind 127', 'BTF_KIND', 'types[1].info', put(28, 127 << 24)],
    ['type too long', 'BTF_TRUNCATED', 'types[2]', put(44, (4 << 24) | 0xff_ffff)],
    ['rest of a type', 'BTF_TRUNCATED', 'types[2]', put(12, 24)],
    ['rest of a word', 'BTF_TRUNCATED', 'types[2]', put(12, 27)],
  ]
  it.each(cases)('%s: %s at %s', (_, code, path, damage) => {
    const bytes = damage(good())
    const error = failure(() => parseBtf(bytes, { name: 'broken' }))
    expect(error).toMatchObject({ code, context: { file: 'broken', path } })
    expect(error.message).toMatch(/^broken: .* at byte \d+: expected .*, got /)
    expect(error.hint).toBeTypeOf('string')
  })

  it('in a name is caught when it is asked for', () => {
    const btf = parseBtf(put(24, 99)(good()), { name: 'broken' })
    expect(btf.type(2)).toEqual({ kind: 'ptr', id: 2, type: 1 })
    expect(btf.idsByName('int')).toEqual([])
    const error = failure(() => btf.type(1))
    expect(error).toMatchObject({ code: 'BTF_STRING', context: { path: 'types[1].name_off', offset: 24 } })
    expect(failure(() => btf.string(5)).code).toBe('BTF_STRING')
  })

  it('in a reference is caught at its place', () => {
    const btf = parseBtf(
      makeBtf([
        int,
        made.struct('s', 4, [
          ['a', 1, 0],
          ['b', 77, 0],
        ]),
      ]),
    )
    const type = btf.find('s', 'struct')
    expect(type).toMatchObject({ id: 2, name: 's', size: 4 })
    expect(failure(() => type?.members)).toMatchObject({
      code: 'BTF_REFERENCE',
      context: { path: 'types[2].members[1].type', offset: 24 + 16 + 12 + 12 + 4, actual: '77' },
    })
  })

  it.each([-1, 3, 1.5, Number.NaN, 1e9])('there is no type %d', (id) => {
    const btf = parseBtf(good())
    for (const ask of [() => btf.type(id), () => btf.kind(id), () => btf.nameOf(id), () => btf.sizeOf(id)]) {
      expect(failure(ask).code).toBe('BTF_TYPE_ID')
    }
  })

  it('by tails of one long string is refused', () => {
    const name = 'a'.repeat(50_000)
    const bytes = makeBtf([made.int(name, 4), ...Array.from({ length: 1000 }, () => made.ptr(1))])
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < 1000; i++) view.setUint32(24 + 16 + i * 12, i + 2, true)
    const btf = parseBtf(bytes)
    const all = () => Array.from({ length: 1001 }, (_, i) => btf.nameOf(i + 1))
    expect(failure(all).code).toBe('BTF_STRING')
  })
})

it('types of a kind have its fields', () => {
  const type: BtfType = parseBtf(makeBtf([int])).type(1)
  // A compile-time check: find() narrows by kind.
  const size: number | undefined = parseBtf(makeBtf([made.struct('s', 4, [])])).find('s', 'struct')?.size
  expect([type.kind, size]).toEqual(['int', 4])
})
