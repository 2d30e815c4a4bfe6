import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { btfBuilder, joinChunks, printC } from '../index.ts'

/** Names of structs in the order in which C has them. */
function order(names: readonly string[]): readonly string[] {
  const builder = btfBuilder({ rules: 'none' })
  for (const name of names) builder.add({ kind: 'struct', name, size: 0, members: [] })
  const text = joinChunks(printC(builder.open()))
  return [...text.matchAll(/^struct (\S+) \{/gm)].map(([, name = '']) => name)
}

describe('the order of definitions', () => {
  it('is that of the bytes of their names, also of those that C does not have', () => {
    expect(order(['a:a', 'a9b', 'core::option', 'a'])).toEqual(['a', 'a9b', 'a:a', 'core::option'])
    const name = fc.string({
      unit: fc.constantFrom('a', 'b', '_', '9', ':', 'Z'),
      minLength: 1,
      maxLength: 100,
    })
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 40 }), (names) => {
        expect(order(names)).toEqual(names.toSorted())
      }),
    )
  })

  it('is that of the bytes of long names that begin alike', () => {
    const names = Array.from(
      { length: 300 },
      (_, i) => `${'x'.repeat(i % 150)}_${String(i).padStart(3, '0')}`,
    )
    expect(order(names)).toEqual(names.toSorted())
  })
})
