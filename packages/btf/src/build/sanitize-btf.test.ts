import { describe, expect, it } from 'vitest'
import { parseBtf } from '../parse-btf.ts'
import { encodeBtf } from './encode-btf.ts'
import { sanitizeBtf } from './sanitize-btf.ts'

describe('sanitizeBtf', () => {
  const btf = parseBtf(
    encodeBtf([
      { kind: 'func_proto', returnType: 0, params: [] },
      { kind: 'func', name: 'open', type: 1, linkage: 'global' },
      { kind: 'func', name: 'hidden', type: 1, linkage: 'global' },
      { kind: 'func', name: 'inner', type: 1, linkage: 'static' },
    ]),
  )
  const linkages = (one: typeof btf): unknown[] =>
    [2, 3, 4].map((id) => {
      const type = one.type(id)
      return type.kind === 'func' ? type.linkage : type.kind
    })

  it('makes the global functions that are named static', () => {
    const changed = sanitizeBtf(btf, () => true, { staticFuncs: new Set([1, 3, 4, 99]) })
    expect(linkages(changed)).toEqual(['global', 'static', 'static'])
    expect(linkages(btf)).toEqual(['global', 'global', 'static'])
  })

  it('returns what needs no change', () => {
    expect(sanitizeBtf(btf, () => true, { staticFuncs: new Set([4]) })).toBe(btf)
    expect(sanitizeBtf(btf, () => true)).toBe(btf)
  })
})
