import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/codec.ts'
import { parseBtf } from '../../src/parse-btf.ts'
import { makeBtf } from '../make-btf.ts'
import type { MadeType } from '../make-btf.ts'
import { shape } from '../value-shapes.ts'

describe('on types at random', () => {
  it('decode takes back what encode made, in both byte orders', () => {
    const sample = shape.chain((made_) => fc.tuple(fc.constant(made_), made_.value, fc.boolean()))
    fc.assert(
      fc.property(sample, ([type, value, little]) => {
        const types: MadeType[] = []
        const id = type.build(types)
        const found = codec(parseBtf(makeBtf(types, { little })), id)
        expect(found.size).toBe(type.size)
        const bytes = found.encode(value)
        const again = found.decode(bytes)
        expect(again).toEqual(value)
        expect(found.encode(again)).toEqual(bytes)
      }),
      { numRuns: 1500 },
    )
  })
})
