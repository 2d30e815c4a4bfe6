import { readFileSync } from 'node:fs'
import { helpers as table } from '@tsbpf/uapi/helpers'
import { describe, expect, it } from 'vitest'
import { helpers } from './helpers.ts'

/** The comment of each helper in the files that document them. */
const documented = new Map(
  ['helpers-core.ts', 'helpers-network.ts'].flatMap((file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    return [...text.matchAll(/\/\*\* (.*) \*\/\n {2}readonly (\w+): HelperFunction/g)].map(
      ([, comment, name]) => [name!, comment!] as const,
    )
  }),
)
const rows = table.rows.filter(({ name }) => name !== 'unspec')

describe('helpers', () => {
  it('have the numbers of the kernel', () => {
    expect(Object.keys(helpers)).toEqual(rows.map(({ name }) => name))
    expect(helpers.map_lookup_elem).toEqual({ kind: 'helper', name: 'map_lookup_elem', id: 1 })
    for (const { name, value } of rows) expect(helpers[name as keyof typeof helpers].id).toBe(value)
  })

  it('are documented: each parameter of the prototype in its register, and the result', () => {
    expect([...documented.keys()].sort()).toEqual(rows.map(({ name }) => name).sort())
    for (const { name, params } of rows) {
      const comment = documented.get(name)!
      const named = [...comment.matchAll(/r(\d) `([^`]+)`/g)].map(([, register, param]) => [register, param])
      expect(named, name).toEqual(params.map((param, i) => [String(i + 1), param.name]))
      expect(comment, name).toMatch(/\br0: /)
    }
  })
})
