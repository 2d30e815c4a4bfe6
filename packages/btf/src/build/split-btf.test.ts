import { describe, expect, it } from 'vitest'
import type { Btf } from '../btf-type.ts'
import { btfBuilder } from './btf-builder.ts'
import { distillBase } from './distill-base.ts'
import { encodeBtf } from './encode-btf.ts'
import { parseBtf } from '../parse-btf.ts'
import { relocateBtf } from './relocate-btf.ts'
import type { BtfTypeInput } from './type-input.ts'

const open = (types: readonly BtfTypeInput[], base?: Btf): Btf =>
  base === undefined ? parseBtf(encodeBtf(types)) : parseBtf(encodeBtf(types, { base }), { base })

const int: BtfTypeInput = { kind: 'int', name: 'int', size: 4, signed: true }
const unsigned: BtfTypeInput = { kind: 'int', name: 'unsigned int', size: 4 }
const struct = (name: string, size: number, type = 1): BtfTypeInput => ({
  kind: 'struct',
  name,
  size,
  members: [{ name: 'a', type, offsetBits: 0 }],
})

/** 1 int, 2 struct sock, 3 pointer to it, 4 unused, 5 enum64, 6 unnamed struct, 7 func_proto, 8 func, 9 float */
const base = open([
  int,
  struct('sock', 8),
  { kind: 'ptr', type: 2 },
  struct('unused', 4),
  { kind: 'enum64', name: 'wide', size: 8, values: [{ name: 'FAR', value: 1n << 40n }] },
  { kind: 'struct', name: '', size: 4, members: [{ name: 'inner', type: 1, offsetBits: 0 }] },
  { kind: 'func_proto', returnType: 1, params: [] },
  { kind: 'func', name: 'f', type: 7, linkage: 'static' },
  { kind: 'float', name: 'double', size: 8 },
])
const module = open(
  [
    {
      kind: 'struct',
      name: 'state',
      size: 32,
      members: [
        { name: 'sock', type: 3, offsetBits: 0 },
        { name: 'wide', type: 5, offsetBits: 64 },
        { name: '', type: 6, offsetBits: 128 },
        { name: 'real', type: 9, offsetBits: 192 },
      ],
    },
  ],
  base,
)

describe('distilling', () => {
  const { base: small, btf } = distillBase(module)

  it('leaves heads of what has a name, and takes the rest into the split BTF', () => {
    const all = Array.from({ length: btf.endId - 1 }, (_, i) => btf.type(i + 1))
    expect(small.endId).toBe(5)
    expect(all).toMatchObject([
      { kind: 'int', name: 'int' },
      { kind: 'struct', name: 'sock', size: 8, members: [] },
      { kind: 'enum', name: 'wide', size: 8, values: [] },
      { kind: 'float', name: 'double', size: 8 },
      { kind: 'struct', name: 'state', members: [{ type: 6 }, { type: 3 }, { type: 7 }, { type: 4 }] },
      { kind: 'ptr', type: 2 },
      { kind: 'struct', name: '', members: [{ name: 'inner', type: 1 }] },
    ])
  })

  it('refuses what is not split, and what refers to functions', () => {
    expect(() => distillBase(base)).toThrow(expect.objectContaining({ code: 'BTF_BASE' }))
    const builder = btfBuilder({ base, rules: 'none' })
    builder.add({ kind: 'decl_tag', name: 'tag', type: 8 })
    expect(() => distillBase(builder.open())).toThrow(expect.objectContaining({ code: 'BTF_RELOCATE' }))
  })

  it('relocated to another base, ids and names are its', () => {
    const target = open([
      unsigned,
      { kind: 'float', name: 'double', size: 8 },
      struct('sock', 16),
      { kind: 'enum', name: 'wide', size: 8, values: [] },
      int,
    ])
    const { btf: moved, ids } = relocateBtf(btf, target)
    expect([...ids]).toEqual([0, 5, 3, 4, 2, 6, 7, 8])
    expect(moved.type(6)).toMatchObject({
      name: 'state',
      members: [{ type: 7 }, { type: 4 }, { type: 8 }, { type: 2 }],
    })
    expect(moved.type(7)).toMatchObject({ kind: 'ptr', type: 3 })
    expect(moved.base).toBe(target)
  })
})

describe('relocating', () => {
  /** A split BTF that leads to one type of a distilled base, by pointer or contained. */
  const made = (type: BtfTypeInput, contained = false): Btf =>
    open(
      contained
        ? [struct('user', 64, 1)]
        : [
            { kind: 'ptr', type: 1 },
            { kind: 'typedef', name: 'user', type: 2 },
          ],
      open([type]),
    )
  const head = (name: string, size: number, kind: 'struct' | 'union' = 'struct'): BtfTypeInput => ({
    kind,
    name,
    size,
    members: [],
  })
  const found = (
    type: BtfTypeInput,
    target: readonly BtfTypeInput[],
    contained = false,
  ): number | undefined => relocateBtf(made(type, contained), open(target)).ids[1]
  const fails: unknown = expect.objectContaining({ code: 'BTF_RELOCATE' })

  it('an int needs its size and encoding', () => {
    expect(found(int, [unsigned, int])).toBe(2)
    expect(() => found(int, [{ ...int, size: 8 }])).toThrow(fails)
    expect(() => found(int, [{ kind: 'int', name: 'int', size: 4 }])).toThrow(fails)
  })

  it('a struct that is pointed to needs its size only where there are several', () => {
    expect(found(head('s', 8), [head('s', 16)])).toBe(1)
    expect(found(head('s', 8), [head('s', 16), head('s', 8)])).toBe(2)
    expect(() => found(head('s', 8), [head('s', 16), head('s', 32)])).toThrow(fails)
    expect(() => found(head('s', 8), [head('s', 8), head('s', 8)])).toThrow(/could be type 1 or 2/)
  })

  it('a struct that is contained needs its size', () => {
    expect(found(head('s', 8), [head('s', 8)], true)).toBe(1)
    expect(() => found(head('s', 8), [head('s', 16)], true)).toThrow(fails)
  })

  it('a declaration may be defined in the base, and the other way round', () => {
    expect(found({ kind: 'fwd', name: 's' }, [head('s', 8)])).toBe(1)
    expect(found({ kind: 'fwd', name: 's', union: true }, [head('s', 8, 'union')])).toBe(1)
    expect(() => found({ kind: 'fwd', name: 's', union: true }, [head('s', 8)])).toThrow(fails)
    expect(found(head('s', 8), [{ kind: 'fwd', name: 's' }])).toBe(1)
    expect(found(head('s', 8), [{ kind: 'fwd', name: 's' }, head('s', 16)])).toBe(2)
  })

  it('refuses a base that is not distilled, and none', () => {
    const pointers = open([{ kind: 'ptr', type: 1 }], open([{ kind: 'ptr', type: 0 }]))
    expect(() => relocateBtf(pointers, base)).toThrow(fails)
    expect(() => relocateBtf(base, module)).toThrow(expect.objectContaining({ code: 'BTF_BASE' }))
    expect(() => relocateBtf(module, base)).toThrow(expect.objectContaining({ code: 'BTF_BASE' }))
  })
})
