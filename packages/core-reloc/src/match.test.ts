import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { id, makeBtf } from '../test/make-btf.ts'
import type { Made, MadeMember } from '../test/make-btf.ts'
import { formatAccess, parseAccess } from './access.ts'
import { newBudget } from './budget.ts'
import { coreKinds } from '@tsbpf/object'
import type { CoreKind } from '@tsbpf/object'
import { matchAccess } from './match.ts'
import { newMemberIndex } from './members.ts'
import { valueOf } from './value.ts'

const byteOff = coreKinds.byName('byte_off')!
const int: Made = { int: 'int', size: 4, encoding: 1 }
const local = makeBtf([int, { struct: 's', size: 4, members: [['x', 1, 0]] }])
const wanted = parseAccess(local, id(2), '0:0', byteOff)

function match(types: Made[]) {
  const budget = newBudget()
  const btf = makeBtf(types)
  const found = matchAccess(wanted, btf, id(types.length), { budget, members: newMemberIndex(budget) })
  return found.access === undefined ? found.why : formatAccess(found.access)
}

/** `depth` anonymous structs, one in the other, with `x` in the innermost. */
const nested = (depth: number, inner: MadeMember = ['x', 1, 32]): Made[] => [
  int,
  ...Array.from({ length: depth }, (_, i): Made => ({
    struct: i === depth - 1 ? 's' : '',
    size: 8,
    members: [i === 0 ? inner : ['', i + 1, 32]],
  })),
]

describe('a member in a candidate', () => {
  it('is found in anonymous structs, whose offsets add up', () => {
    expect(match(nested(1))).toBe('struct s.x (0:0 @ offset 4)')
    expect(match(nested(5))).toBe('struct s.x (0:0:0:0:0:0 @ offset 20)')
  })

  it('is found up to 64 indexes deep, as in libbpf', () => {
    expect(match(nested(63))).toMatch(/^struct s\.x/)
    expect(() => match(nested(64))).toThrow('more than 64 elements')
    expect(() => match(nested(70))).toThrow('more than 64 elements')
  })

  it('is found past modifiers of an anonymous member', () => {
    expect(
      match([
        int,
        { struct: '', size: 4, members: [['x', 1, 0]] },
        { volatile: 2 },
        { typedef: 't', to: 3 },
        { struct: 's', size: 8, members: [['', 4, 32]] },
      ]),
    ).toBe('struct s.x (0:0:0 @ offset 4)')
  })

  it('is not found in a struct that holds itself without a name, and the search ends', () => {
    expect(
      match([
        {
          struct: 's',
          size: 8,
          members: [
            ['', 1, 0],
            ['', 1, 0],
          ],
        },
      ]),
    ).toBe('struct s has no member x')
  })

  it('is not found where it has another kind', () => {
    expect(match(nested(1, ['x', 2, 0]))).toBe('member x: int is not compatible with struct s')
  })
})

describe('the value of an access', () => {
  const kind = (name: CoreKind['name']): CoreKind => coreKinds.byName(name)!
  const bits = makeBtf([
    { int: 'u32', size: 4 },
    { int: 'u64', size: 8 },
    {
      struct: 'bits',
      size: 24,
      members: [
        ['a', 1, 0, 3],
        ['b', 1, 3, 7],
        ['across', 1, 29, 6],
        ['wide', 2, 64 + 40, 33],
        ['plain', 1, 160],
        ['sized_zero', 3, 0, 5],
      ],
    },
    { enum: '', values: [['X', 0xffff_ffff]] },
  ])
  const value = (member: number, name: CoreKind['name'], littleEndian = true) =>
    valueOf(parseAccess(bits, id(3), `0:${member}`, kind(name)), littleEndian)

  it.each([
    [0, 'byte_off', 0n, 0n],
    [1, 'byte_sz', 4n, 4n],
    [1, 'lshift_u64', 54n, 35n],
    [1, 'rshift_u64', 57n, 57n],
    // Six bits from bit 29 on do not fit a load of four bytes.
    [2, 'byte_off', 0n, 0n],
    [2, 'byte_sz', 8n, 8n],
    [2, 'lshift_u64', 29n, 29n],
    [4, 'byte_off', 20n, 20n],
    [4, 'lshift_u64', 32n, 32n],
  ] as const)('member %i: %s is %d on little-endian machines, %d on others', (member, name, little, big) => {
    expect(value(member, name).value).toBe(little)
    expect(value(member, name, false).value).toBe(big)
  })

  it('is not known to be what the compiler wrote, for a bitfield', () => {
    expect([
      value(0, 'byte_off').validate,
      value(0, 'byte_sz').validate,
      value(0, 'lshift_u64').validate,
    ]).toEqual([false, false, false])
    expect(value(0, 'signed').validate).toBe(true)
    expect(value(0, 'rshift_u64').validate).toBe(true)
    expect(value(4, 'byte_off').validate).toBe(true)
  })

  it('does not exist for a bitfield that no load holds', () => {
    expect(() => value(3, 'byte_off')).toThrow('cannot be read with one load')
  })

  it('of an enumerator of 32 bits is signed, as in libbpf', () => {
    expect(valueOf(parseAccess(bits, id(4), '0', kind('enumval_value')), true).value).toBe(
      0xffff_ffff_ffff_ffffn,
    )
  })

  it('is an error with a code for types that nothing is known about', () => {
    let error: unknown
    try {
      valueOf(parseAccess(bits, id(0), '0', kind('type_size')), true)
    } catch (thrown) {
      error = thrown
    }
    expect(isTsbpfError(error)).toBe(true)
  })
})
