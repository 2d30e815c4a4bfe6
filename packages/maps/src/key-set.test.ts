import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeySet } from './key-set.ts'

describe('KeySet', () => {
  it('knows what a Set of the same keys knows', () => {
    const keys = fc
      .integer({ min: 1, max: 9 })
      .chain((size) =>
        fc.array(fc.uint8Array({ minLength: size, maxLength: size, max: 7 }), { minLength: 1 }),
      )
    fc.assert(
      fc.property(keys, (list) => {
        const size = list[0]!.length
        const all = Uint8Array.from(list.flatMap((key) => [...key]))
        const [set, model] = [new KeySet(size), new Set<string>()]
        for (const [i, key] of list.entries()) {
          expect(set.add(all, i * size)).toBe(!model.has(String(key)))
          model.add(String(key))
        }
      }),
    )
  })

  it('grows', () => {
    const numbers = Uint32Array.from({ length: 20_000 }, (_, i) => i % 15_000)
    const bytes = new Uint8Array(numbers.buffer)
    const set = new KeySet(4)
    for (let i = 0; i < numbers.length; i++) expect(set.add(bytes, i * 4)).toBe(i < 15_000)
  })
})
