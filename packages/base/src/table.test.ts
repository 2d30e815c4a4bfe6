import { expect, it } from 'vitest'
import { defineTable, nearest, suggest } from './index.ts'

const table = defineTable('map_type', [
  { name: 'hash', value: 1 },
  { name: 'array', value: 2 },
  { name: 'array_alias', value: 2 },
])

it('looks rows up by name and number; the first row names a shared number', () => {
  expect(table.byName('array')).toEqual({ name: 'array', value: 2 })
  expect(table.byValue(2)?.name).toBe('array')
  expect(table.byName('constructor')).toBeUndefined()
  expect(table.value('hash')).toBe(1)
})

it('prints an unknown number instead of throwing', () => {
  expect([table.format(1), table.format(57)]).toEqual(['hash', 'map_type(57)'])
})

it('knows its names at compile time', () => {
  // @ts-expect-error -- no such row
  expect(() => table.value('hush')).toThrow(RangeError)
})

it('suggests the nearest name, and none where nothing is near', () => {
  expect(nearest('cuonts', ['events', 'counts'])).toBe('counts')
  expect(nearest('zzzzzz', ['events', 'counts'])).toBeUndefined()
  expect(suggest('x', [])).toBe('there is none')
  expect(suggest('evnts', ['events', 'counts'])).toBe('did you mean events? known: events, counts')
  expect(
    suggest(
      'zzzz',
      Array.from({ length: 30 }, (_, i) => `name${i}`),
    ),
  ).toMatch(/name19, and 10 more$/)
})
