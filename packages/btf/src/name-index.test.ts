import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import type { BtfKind } from './btf-type.ts'
import { essentialName } from './essential-name.ts'
import { parseBtf } from './parse-btf.ts'

describe('the essential name', () => {
  it.each([
    ['task_struct', 'task_struct'],
    ['task_struct___v61', 'task_struct'],
    ['a___b___c', 'a___b'],
    ['a___b', 'a'],
    ['a____b', 'a____b'],
    ['a___b____c', 'a'],
    ['___a', '___a'],
    ['a___', 'a___'],
    ['_a___b', '_a'],
    ['a___b_', 'a'],
    ['a____b___c', 'a____b'],
    ['___', '___'],
    ['', ''],
  ])('of %s is %s', (name, essential) => {
    expect(essentialName(name)).toBe(essential)
  })

  it('is what stands before the last such separator', () => {
    const name = fc.string({ unit: fc.constantFrom('_', '_', '_', 'a', 'b'), maxLength: 16 })
    fc.assert(
      fc.property(name, (text) => {
        expect(essentialName(text)).toBe(/^(.*[^_])___[^_].*$/.exec(text)?.[1] ?? text)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('types by name', () => {
  const names = [
    'a',
    'ab',
    'abc',
    'abcd',
    'abcde',
    'task',
    'task_struct',
    'task_struct___v1',
    'a___x',
    'ab___y_z',
  ]
  const more = ['abc___1', 'abcd___1', '', 'a', 'é', 'task_struct___', 'task_structs', 'tas']
  const all = [...names, ...more]
  const btf = parseBtf(makeBtf(all.map((name) => made.int(name, 4))))
  const brute = (keep: (name: string) => boolean) =>
    all.flatMap((name, i) => (name !== '' && keep(name) ? [i + 1] : []))
  const asked = [...new Set([...all, 'b', 'abcdef', 'task_', '\0', 'a\0'])]

  it('are the same by scans and by the chains of many lookups', () => {
    const many = parseBtf(makeBtf(Array.from({ length: 3000 }, (_, i) => made.int(`t${i % 7}___${i}`, 4))))
    const first = many.candidates('t3')
    expect(first.length).toBe(429)
    // 700 scans of 3,000 names are enough for chains.
    for (let i = 0; i < 750; i++) many.candidates('none')
    expect(many.candidates('t3')).toEqual(first)
  })

  it('are all that have it', () => {
    for (const name of asked) {
      expect(btf.idsByName(name)).toEqual(brute((own) => own === name))
      expect(btf.idsByName(name, 'int')).toEqual(brute((own) => own === name))
      expect(btf.idsByName(name, 'struct')).toEqual([])
      expect(btf.candidates(name)).toEqual(brute((own) => essentialName(own) === name))
      expect(btf.candidates(name, 'int')).toEqual(btf.candidates(name))
      expect(btf.candidates(name, 'struct')).toEqual([])
    }
  })

  it('may be of one kind', () => {
    const mixed = parseBtf(
      makeBtf([made.int('x', 4), made.typedef('x', 1), made.struct('x', 0, []), made.fwd('x')]),
    )
    expect(mixed.idsByName('x')).toEqual([1, 2, 3, 4])
    expect(mixed.idsByName('x', 'typedef')).toEqual([2])
    expect(mixed.candidates('x', 'typedef')).toEqual([2])
    expect(mixed.candidates('x', 'no kind' as BtfKind)).toEqual([])
    expect(mixed.find('x', 'fwd')).toMatchObject({ id: 4, union: false })
    expect(mixed.find('x', 'union')).toBeUndefined()
    expect([mixed.idsByName('x', 'void'), mixed.idsByName('x', 'no kind' as BtfKind)]).toEqual([[], []])
  })

  it('are found at any offset that spells it', () => {
    // Two types share the tail of a third's name.
    const bytes = makeBtf([made.int('my_task', 4), made.int('x', 4), made.int('y', 4)])
    const view = new DataView(bytes.buffer)
    view.setUint32(24 + 16, 1 + 3, true)
    view.setUint32(24 + 32, 1 + 3, true)
    const shared = parseBtf(bytes)
    expect([shared.idsByName('task'), shared.candidates('task'), shared.idsByName('my_task')]).toEqual([
      [2, 3],
      [2, 3],
      [1],
    ])
  })

  it('agree with a search of all names', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '_'), maxLength: 9 })
    fc.assert(
      fc.property(fc.array(name, { maxLength: 40 }), fc.array(name, { maxLength: 50 }), (own, wanted) => {
        const made_ = parseBtf(makeBtf(own.map((text) => made.int(text, 4))))
        for (const text of [...wanted, ...own]) {
          const ids = (keep: (candidate: string) => boolean) =>
            own.flatMap((candidate, i) => (candidate !== '' && keep(candidate) ? [i + 1] : []))
          expect(made_.idsByName(text)).toEqual(ids((candidate) => candidate === text))
          expect(made_.candidates(text)).toEqual(ids((candidate) => essentialName(candidate) === text))
        }
      }),
    )
  })
})
