import { describe, expect, it } from 'vitest'
import { parseBtf } from '../../src/index.ts'
import { bpftoolView } from '../bpftool-view.ts'
import type { BpftoolType } from '../bpftool-view.ts'
import { golden, recorded, sectionsOf } from './sections.ts'

describe(`as ${recorded.judges[0] ?? ''}, dumps them`, () => {
  it.each(Object.keys(recorded.objects))('all types of %s', (name) => {
    const { types } = JSON.parse(new TextDecoder().decode(golden(`${name}.bpftool.json`))) as {
      readonly types: readonly BpftoolType[]
    }
    const btf = parseBtf(sectionsOf(golden(name)).get('.BTF')!, { name })
    expect(btf.endId).toBe(types.length + 1)
    expect(types.map((_, i) => bpftoolView(btf, i + 1))).toEqual(types)
  })

  it('every kind is among them', () => {
    const text = new TextDecoder().decode(golden('types.clang-19.el.o.bpftool.json'))
    const found = new Set([...text.matchAll(/"kind":"(\w+)"/g)].map((match) => match[1]))
    expect(found.size).toBe(19)
  })
})
