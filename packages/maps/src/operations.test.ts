import { readFileSync } from 'node:fs'
import { mapTypes } from '@tsbpf/uapi'
import { expect, it } from 'vitest'
import { mapOperations } from './index.ts'
import { families } from '../test/support/families.ts'

const all = Object.values(families).flat()

it('map types are all in a family, and all in the table', () => {
  const names = new Map(mapTypes.rows.map(({ name, value }) => [value, name.replace('_deprecated', '')]))
  names.delete(0)
  expect([...all].sort()).toEqual([...names.values()].sort())
  expect([...mapOperations.keys()].sort()).toEqual([...all].sort())
})

it('docs/support.md calls proven what a family has a test for', () => {
  const page = readFileSync(new URL('../../../docs/support.md', import.meta.url), 'utf8')
  const section = /## Map types\n([\s\S]*?)\n## /.exec(page)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| `(\w+)` .*\| (.*?) +\|$/gm)].map(([, name, state]) => [name, state])
  const newest: readonly string[] = families.newest
  const states = all.map((name) => [
    name,
    newest.includes(name) ? 'refused by this kernel' : 'proven on 6.18',
  ])
  expect(new Map(rows as [string, string][])).toEqual(new Map(states as [string, string][]))
})
