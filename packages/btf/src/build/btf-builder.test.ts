import { describe, expect, it } from 'vitest'
import { parseBtf } from '../parse-btf.ts'
import { btfBuilder } from './btf-builder.ts'
import type { BtfRules } from './type-rules.ts'
import type { BtfTypeInput } from './type-input.ts'

const int: BtfTypeInput = { kind: 'int', name: 'int', size: 4, signed: true }
const code = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
const long = 'x'.repeat(513)

/** Where a type may refer: 1 is an int, 2 a prototype without parameters, 3 a struct with one member, 4 a variable. */
function filled(rules: BtfRules = 'object') {
  const builder = btfBuilder({ rules, name: 'made' })
  builder.add(int)
  builder.add({ kind: 'func_proto', returnType: 0, params: [] })
  builder.add({ kind: 'struct', name: 's', size: 4, members: [{ name: 'a', type: 1, offsetBits: 0 }] })
  builder.add({ kind: 'var', name: 'v', type: 1, linkage: 'global' })
  return builder
}

describe('a builder', () => {
  it('writes what is left out: bits, flags, signedness, component', () => {
    const builder = filled()
    builder.add({ kind: 'enum', name: 'e', size: 4, values: [{ name: 'A', value: -1 }] })
    builder.add({
      kind: 'struct',
      name: 'bits',
      size: 4,
      members: [{ name: 'low', type: 1, offsetBits: 0, bitfieldSizeBits: 3 }],
    })
    builder.add({ kind: 'decl_tag', name: 'tag', type: 3 })
    const btf = builder.open()
    expect(btf.type(1)).toMatchObject({ bits: 32, offsetBits: 0, signed: true, char: false, bool: false })
    expect(btf.type(5)).toMatchObject({ signed: true, values: [{ name: 'A', value: -1n }] })
    expect(btf.type(6)).toMatchObject({ kindFlag: true })
    expect(btf.type(7)).toMatchObject({ component: -1, kindFlag: false })
  })

  it('stores each string once, and finds those of its base', () => {
    const base = filled().open()
    const builder = btfBuilder({ base })
    builder.add({ kind: 'typedef', name: 'int', type: 1 })
    builder.add({ kind: 'typedef', name: 'new', type: 5 })
    expect(builder.string('int')).toBeLessThan(base.endString)
    expect(builder.string('new')).toBe(base.endString)
    const split = builder.open()
    expect(split.endString - base.endString).toBe(4)
    expect(split.type(6)).toEqual({ kind: 'typedef', id: 6, name: 'new', type: 5 })
  })

  it('goes on from another BTF: ids and string offsets stay, types can be replaced', () => {
    const first = filled()
    const spare = first.string('no type uses this')
    const before = first.open()
    const builder = btfBuilder({ from: before })
    expect(builder.build()).toEqual(before.bytes)
    builder.replace(4, { kind: 'var', name: 'v', type: 1, linkage: 'static' })
    expect(builder.add({ kind: 'typedef', name: 'v', type: 3 })).toBe(5)
    const btf = builder.open()
    expect([4, 5].map((id) => btf.type(id))).toMatchObject([{ linkage: 'static' }, { name: 'v', type: 3 }])
    expect([btf.string(spare), btf.endString]).toEqual(['no type uses this', before.endString])

    const split = btfBuilder({ base: before })
    split.add({ kind: 'typedef', name: 'new', type: 3 })
    const again = btfBuilder({ from: split.open() })
    expect(again.build()).toEqual(split.build())
    expect(again.firstId).toBe(before.endId)
    expect(code(() => again.replace(1, int))).toMatchObject({ code: 'BTF_BUILD_ID' })
    expect(code(() => btfBuilder({ from: split.open(), base: filled().open() }))).toMatchObject({
      code: 'BTF_BASE',
    })
  })

  it('can go on after it has built', () => {
    const builder = btfBuilder()
    builder.add(int)
    const first = builder.build()
    builder.add({ kind: 'ptr', type: 1 })
    expect(parseBtf(first).endId).toBe(2)
    expect(builder.open().endId).toBe(3)
  })

  it('keeps nothing of a type that is refused', () => {
    const builder = filled()
    expect(() =>
      builder.add({ kind: 'struct', name: 's', size: 4, members: [{ name: 'a', type: 1, offsetBits: -1 }] }),
    ).toThrow()
    expect(builder.endId).toBe(5)
    expect(builder.open().endId).toBe(5)
  })

  it('refuses ids that are reserved and never defined, defined twice, or not given', () => {
    const builder = filled()
    const id = builder.reserve()
    expect(code(() => builder.build())).toMatchObject({ code: 'BTF_BUILD_ID', context: { id } })
    builder.define(id, int)
    expect(code(() => builder.define(id, int))).toMatchObject({ code: 'BTF_BUILD_ID' })
    expect(code(() => builder.define(99, int))).toMatchObject({ code: 'BTF_BUILD_ID' })
    builder.add({ kind: 'ptr', type: 77 })
    expect(code(() => builder.build())).toMatchObject({
      code: 'BTF_BUILD',
      context: { type: 'ptr', expected: 'an id below 7', actual: '77' },
    })
  })

  it('adds split BTF only to one with the same base', () => {
    const [one, other] = [filled().open(), filled().open()]
    const builder = btfBuilder({ base: one })
    builder.add({ kind: 'ptr', type: 1 })
    const split = builder.open()
    expect(code(() => btfBuilder({ base: other }).addBtf(split))).toMatchObject({ code: 'BTF_BASE' })
    expect(code(() => btfBuilder().addBtf(split))).toMatchObject({ code: 'BTF_BASE' })
    const same = btfBuilder({ base: one })
    same.add({ kind: 'const', type: 1 })
    const added = same.addBtf(split)
    expect(added.type(5)).toBe(6)
    expect(added.type(1)).toBe(1)
    expect(same.open().type(6)).toEqual({ kind: 'ptr', id: 6, type: 1 })
  })
})

describe('rules of the kernel', () => {
  const member = { name: 'a', type: 1, offsetBits: 0 }
  const refused: readonly (readonly [string, BtfTypeInput, string])[] = [
    ['int without name', { kind: 'int', name: '', size: 4 }, 'name'],
    ['int larger than its size', { kind: 'int', name: 'i', size: 1, bits: 9 }, 'bits'],
    ['int beyond 128 bits', { kind: 'int', name: 'i', size: 32, bits: 129 }, 'bits'],
    ['int that is signed and bool', { kind: 'int', name: 'i', size: 1, signed: true, bool: true }, 'signed'],
    ['array of void', { kind: 'array', type: 0, indexType: 1, length: 1 }, 'type'],
    ['array by void', { kind: 'array', type: 1, indexType: 0, length: 1 }, 'indexType'],
    ['struct with a space in its name', { kind: 'struct', name: 'a b', size: 4, members: [] }, 'name'],
    ['struct with a name too long', { kind: 'struct', name: long, size: 4, members: [] }, 'name'],
    [
      'member of type void',
      { kind: 'struct', name: 's', size: 4, members: [{ ...member, type: 0 }] },
      'members[0].type',
    ],
    [
      'member that is a number',
      { kind: 'struct', name: 's', size: 4, members: [{ ...member, name: '1' }] },
      'members[0].name',
    ],
    [
      'members out of order',
      { kind: 'struct', name: 's', size: 8, members: [{ ...member, offsetBits: 32 }, member] },
      'members[1].offsetBits',
    ],
    [
      'member behind the end',
      { kind: 'struct', name: 's', size: 4, members: [{ ...member, offsetBits: 40 }] },
      'members[0].offsetBits',
    ],
    [
      'member of a union that is not at 0',
      { kind: 'union', name: 'u', size: 8, members: [{ ...member, offsetBits: 8 }] },
      'members[0].offsetBits',
    ],
    ['enum of 3 bytes', { kind: 'enum', name: 'e', size: 3, values: [] }, 'size'],
    [
      'value without name',
      { kind: 'enum', name: 'e', size: 4, values: [{ name: '', value: 0 }] },
      'values[0].name',
    ],
    ['fwd without name', { kind: 'fwd', name: '' }, 'name'],
    ['typedef without name', { kind: 'typedef', name: '', type: 1 }, 'name'],
    ['type tag without text', { kind: 'type_tag', name: '', type: 1 }, 'name'],
    ['func without name', { kind: 'func', name: '', type: 2, linkage: 'static' }, 'name'],
    [
      'varargs in the middle',
      {
        kind: 'func_proto',
        returnType: 0,
        params: [
          { name: '', type: 0 },
          { name: 'a', type: 1 },
        ],
      },
      'params[0].type',
    ],
    [
      'varargs with a name',
      { kind: 'func_proto', returnType: 0, params: [{ name: 'a', type: 0 }] },
      'params[0].type',
    ],
    ['var of type void', { kind: 'var', name: 'v', type: 0, linkage: 'static' }, 'type'],
    ['section without name', { kind: 'datasec', name: '', size: 4, vars: [] }, 'name'],
    ['section with a control character', { kind: 'datasec', name: '.a\n', size: 4, vars: [] }, 'name'],
    ['float of 3 bytes', { kind: 'float', name: 'f', size: 3 }, 'size'],
    ['tag on component -2', { kind: 'decl_tag', name: 't', type: 3, component: -2 }, 'component'],
  ]

  it.each(refused)('%s', (_, type, path) => {
    const found = code(() => filled().add(type))
    expect(found).toMatchObject({ code: 'BTF_BUILD', context: { file: 'made', id: 5, path } })
    // Without the rules it can be written.
    expect(filled('none').add(type)).toBe(5)
  })

  const loaded: readonly (readonly [string, BtfTypeInput, string])[] = [
    ['extern var', { kind: 'var', name: 'v', type: 1, linkage: 'extern' }, 'linkage'],
    ['extern func', { kind: 'func', name: 'f', type: 2, linkage: 'extern' }, 'linkage'],
    ['section without size', { kind: 'datasec', name: '.data', size: 0, vars: [] }, 'size'],
    [
      'variables that overlap',
      {
        kind: 'datasec',
        name: '.data',
        size: 8,
        vars: [
          { type: 4, offset: 0, size: 4 },
          { type: 4, offset: 2, size: 4 },
        ],
      },
      'vars[1].offset',
    ],
    [
      'variable without size',
      { kind: 'datasec', name: '.data', size: 8, vars: [{ type: 4, offset: 0, size: 0 }] },
      'vars[0].size',
    ],
    [
      'variable behind the end',
      { kind: 'datasec', name: '.data', size: 4, vars: [{ type: 4, offset: 2, size: 4 }] },
      'vars[0].size',
    ],
  ]

  it.each(loaded)('%s: an object may have it, the kernel not', (_, type, path) => {
    expect(filled().add(type)).toBe(5)
    expect(code(() => filled('kernel').add(type))).toMatchObject({ code: 'BTF_BUILD', context: { path } })
  })

  const references: readonly (readonly [string, BtfTypeInput])[] = [
    ['func of an int', { kind: 'func', name: 'f', type: 1, linkage: 'static' }],
    ['tag on an int', { kind: 'decl_tag', name: 't', type: 1 }],
    ['tag on a member that is not there', { kind: 'decl_tag', name: 't', type: 3, component: 1 }],
    ['tag on a part of a variable', { kind: 'decl_tag', name: 't', type: 4, component: 0 }],
    ['pointer to a variable', { kind: 'ptr', type: 4 }],
    ['array of functions', { kind: 'array', type: 2, indexType: 1, length: 1 }],
    ['section of ints', { kind: 'datasec', name: '.data', size: 4, vars: [{ type: 1, offset: 0, size: 4 }] }],
  ]

  it.each(references)('%s', (_, type) => {
    const builder = filled()
    builder.add(type)
    expect(code(() => builder.build())).toMatchObject({ code: 'BTF_BUILD', context: { id: 5 } })
    const free = filled('none')
    free.add(type)
    expect(free.open().endId).toBe(6)
  })

  it('a parameter of a function has a name', () => {
    const builder = filled()
    const proto = builder.add({ kind: 'func_proto', returnType: 0, params: [{ name: '', type: 1 }] })
    builder.build()
    builder.add({ kind: 'func', name: 'f', type: proto, linkage: 'global' })
    expect(code(() => builder.build())).toMatchObject({ context: { expected: 'a name for parameter 1' } })
  })
})

describe('what cannot be written, whatever the rules', () => {
  const members = (bitfieldSizeBits: number, offsetBits: number) => [
    { name: 'a', type: 1, offsetBits, bitfieldSizeBits },
  ]
  const rows: readonly (readonly [string, BtfTypeInput, string])[] = [
    ['half a size', { kind: 'int', name: 'i', size: 1.5 }, 'size'],
    ['a negative id', { kind: 'ptr', type: -1 }, 'type'],
    ['an id of 2^31', { kind: 'ptr', type: 2 ** 31 }, 'type'],
    ['a name with NUL', { kind: 'fwd', name: 'a\0b' }, 'name'],
    [
      'a bitfield of 256 bits',
      { kind: 'struct', name: 's', size: 64, members: members(256, 0) },
      'members[0].bitfieldSizeBits',
    ],
    [
      'a bitfield behind 2 MiB',
      { kind: 'struct', name: 's', size: 2 ** 30, members: members(1, 2 ** 24) },
      'members[0].offsetBits',
    ],
    [
      'a bitfield without kind flag',
      { kind: 'struct', name: 's', size: 4, kindFlag: false, members: members(1, 0) },
      'members[0].bitfieldSizeBits',
    ],
    [
      'a value beyond 32 bits',
      { kind: 'enum', name: 'e', size: 4, values: [{ name: 'A', value: 2 ** 32 }] },
      'values[0].value',
    ],
    [
      'a negative value of an unsigned enum',
      { kind: 'enum', name: 'e', size: 4, signed: false, values: [{ name: 'A', value: -1 }] },
      'values[0].value',
    ],
    [
      'a value beyond 64 bits',
      { kind: 'enum64', name: 'e', size: 8, values: [{ name: 'A', value: 2n ** 64n }] },
      'values[0].value',
    ],
    [
      'a number that is not exact',
      { kind: 'enum64', name: 'e', size: 8, values: [{ name: 'A', value: 2 ** 60 }] },
      'values[0].value',
    ],
    ['unknown linkage', { kind: 'func', name: 'f', type: 2, linkage: 'unknown' }, 'linkage'],
  ]

  it.each(rows)('%s', (_, type, path) => {
    expect(code(() => filled('none').add(type))).toMatchObject({ code: 'BTF_BUILD', context: { path } })
  })

  it('a string with NUL', () => {
    expect(code(() => btfBuilder().string('a\0'))).toMatchObject({ code: 'BTF_BUILD' })
  })
})
