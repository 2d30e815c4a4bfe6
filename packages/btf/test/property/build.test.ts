import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { btfBuilder, encodeBtf, parseBtf, swapBtf } from '../../src/index.ts'
import { anyGraph, withoutId } from '../type-graphs.ts'

describe('building', () => {
  it('decoding is the inverse of encoding, in both byte orders', () => {
    fc.assert(
      fc.property(anyGraph, fc.boolean(), (types, littleEndian) => {
        const btf = parseBtf(encodeBtf(types, { littleEndian, rules: 'none' }))
        expect(btf.littleEndian).toBe(littleEndian)
        expect(btf.endId).toBe(types.length + 1)
        expect(types.map((_, i) => withoutId(btf.type(i + 1)))).toEqual(types)
      }),
    )
  })

  it('encoding what was decoded gives the same bytes', () => {
    fc.assert(
      fc.property(anyGraph, fc.boolean(), (types, littleEndian) => {
        const bytes = encodeBtf(types, { littleEndian, rules: 'none' })
        const btf = parseBtf(bytes)
        const again = types.map((_, i) => withoutId(btf.type(i + 1)) as unknown as (typeof types)[number])
        expect(encodeBtf(again, { littleEndian, rules: 'none' })).toEqual(bytes)
      }),
    )
  })

  it('a split BTF goes on where its base ends', () => {
    fc.assert(
      fc.property(anyGraph, anyGraph, (types, more) => {
        const base = parseBtf(encodeBtf(types, { rules: 'none' }))
        const split = parseBtf(encodeBtf(more, { base, rules: 'none' }), { base })
        expect(more.map((_, i) => withoutId(split.type(base.endId + i)))).toEqual(more)
      }),
    )
  })

  it('the order in which types are defined does not matter', () => {
    fc.assert(
      fc.property(anyGraph, (types) => {
        const builder = btfBuilder({ rules: 'none' })
        const ids = types.map(() => builder.reserve())
        for (const [i, type] of [...types.entries()].reverse()) builder.define(ids[i]!, type)
        const btf = builder.open()
        expect(types.map((_, i) => withoutId(btf.type(i + 1)))).toEqual(types)
      }),
    )
  })

  it('swapping turns the byte order, and swapping again gives the same bytes', () => {
    fc.assert(
      fc.property(anyGraph, fc.boolean(), (types, littleEndian) => {
        const bytes = encodeBtf(types, { littleEndian, rules: 'none' })
        const swapped = swapBtf(bytes)
        expect(swapped).toEqual(encodeBtf(types, { littleEndian: !littleEndian, rules: 'none' }))
        expect(swapBtf(swapped)).toEqual(bytes)
      }),
    )
  })
})
