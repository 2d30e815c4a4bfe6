import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  btfBuilder,
  dedupBtf,
  distillBase,
  encodeBtf,
  mergeBtf,
  parseBtf,
  relocateBtf,
  sanitizeBtf,
  swapBtf,
} from '../../src/index.ts'
import type { Btf, BtfFeature, BtfType, BtfTypeInput } from '../../src/index.ts'
import { isTsbpfError } from '@tsbpf/base'
import { anyGraph, cGraph, withoutId } from '../type-graphs.ts'

const open = (types: readonly BtfTypeInput[], base?: Btf): Btf =>
  base === undefined
    ? parseBtf(encodeBtf(types, { rules: 'none' }))
    : parseBtf(encodeBtf(types, { rules: 'none', base }), { base })

/** Ids within a type, in their order, and the type without them. */
function parts(type: BtfType): { readonly ids: readonly number[]; readonly rest: unknown } {
  const ids: number[] = []
  const take = (value: object, ...keys: readonly string[]): Record<string, unknown> => {
    const copy = { ...value } as Record<string, unknown>
    for (const key of keys) {
      ids.push(copy[key] as number)
      copy[key] = '*'
    }
    return copy
  }
  const { ...rest } = withoutId(type)
  if ('type' in rest) Object.assign(rest, take(rest, 'type'))
  if ('indexType' in rest) Object.assign(rest, take(rest, 'indexType'))
  if ('returnType' in rest) Object.assign(rest, take(rest, 'returnType'))
  for (const key of ['members', 'params', 'vars']) {
    const rows = rest[key]
    if (Array.isArray(rows)) rest[key] = rows.map((row: object) => take(row, 'type'))
  }
  return { ids, rest }
}

/** Where two graphs first differ, walked side by side; a declaration may have become what it declares. */
function difference(a: Btf, b: Btf, pairs: readonly (readonly [number, number])[]): string | undefined {
  const seen = new Set<string>()
  const todo = [...pairs]
  for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
    const [x, y] = pair
    if (seen.has(`${x} ${y}`)) continue
    seen.add(`${x} ${y}`)
    const one = a.type(x)
    const other = b.type(y)
    if (one.kind === 'fwd' && other.kind === (one.union ? 'union' : 'struct') && one.name === other.name)
      continue
    // An enum without values is a declaration too.
    const enumName = (type: BtfType) =>
      type.kind === 'enum' || type.kind === 'enum64' ? type.name : undefined
    const declares = (one.kind === 'enum' || one.kind === 'enum64') && one.values.length === 0
    if (declares && one.name === enumName(other)) continue
    const p = parts(one)
    const q = parts(other)
    if (JSON.stringify(p.rest, big) !== JSON.stringify(q.rest, big))
      return `${x} ${y}: ${one.kind} ${other.kind}`
    p.ids.forEach((id, i) => todo.push([id, q.ids[i]!]))
  }
  return undefined
}
const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** Pairs of old and new ids. */
const mapped = (ids: Uint32Array): (readonly [number, number])[] =>
  [...ids].map((to, from) => [from, to] as const)

/** The result, or undefined where circles of pointers make C impossible. */
function tryDedup(btf: Btf): ReturnType<typeof dedupBtf> | undefined {
  try {
    return dedupBtf(btf)
  } catch (error) {
    if (isTsbpfError(error, 'BTF_CYCLE')) return undefined
    throw error
  }
}

describe('deduplication', () => {
  it('keeps what every type is, all that it leads to included', () => {
    fc.assert(
      fc.property(cGraph, (types) => {
        const btf = open(types)
        const done = dedupBtf(btf)
        expect(difference(btf, done.btf, mapped(done.ids))).toBeUndefined()
      }),
    )
  })

  it('done again, it changes nothing', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const once = tryDedup(open(graph))
        if (once === undefined) return
        const twice = dedupBtf(once.btf)
        expect(twice.btf.endId).toBe(once.btf.endId)
        // Strings stay in the order in which types first used them, those that are gone included, as in libbpf.
        expect(twice.btf.bytes.length).toBe(once.btf.bytes.length)
        const types = (btf: Btf) => Array.from({ length: btf.endId }, (_, id) => btf.type(id))
        expect(types(twice.btf)).toEqual(types(once.btf))
      }),
    )
  })

  it('of a BTF merged with itself, it keeps what every type is', () => {
    fc.assert(
      fc.property(cGraph, (types) => {
        const btf = open(types)
        const { btf: merged, added } = mergeBtf([btf, btf])
        const done = dedupBtf(merged)
        expect(difference(merged, done.btf, mapped(done.ids))).toBeUndefined()
        expect(added[1]!.type(1)).toBe(btf.endId)
      }),
    )
  })

  it('is the same in both byte orders', () => {
    fc.assert(
      fc.property(cGraph, (types) => {
        const btf = open(types)
        const swapped = parseBtf(swapBtf(btf.bytes))
        expect(dedupBtf(swapped).btf.bytes).toEqual(swapBtf(dedupBtf(btf).btf.bytes))
      }),
    )
  })

  it('against a base, it keeps what every type is', () => {
    fc.assert(
      fc.property(cGraph, cGraph, (types, more) => {
        const base = dedupBtf(open(types)).btf
        const builder = btfBuilder({ base, rules: 'none' })
        builder.addBtf(open(more))
        const split = builder.open()
        const done = dedupBtf(split)
        const own = mapped(done.ids).filter(([from]) => from >= split.firstId)
        expect(difference(split, done.btf, own)).toBeUndefined()
      }),
    )
  })
})

describe('merging', () => {
  it('keeps all types, one BTF after the other', () => {
    fc.assert(
      fc.property(fc.array(anyGraph, { maxLength: 4 }), (graphs) => {
        const { btf, added } = mergeBtf(graphs.map((types) => open(types)))
        expect(btf.endId).toBe(1 + graphs.reduce((sum, types) => sum + types.length, 0))
        graphs.forEach((types, i) => {
          const pairs = types.map((_, id) => [id + 1, added[i]!.type(id + 1)] as const)
          expect(difference(open(types), btf, pairs)).toBeUndefined()
        })
      }),
    )
  })
})

describe('distilling', () => {
  it('and relocating to the same base gives what was there', () => {
    fc.assert(
      fc.property(cGraph, cGraph, (types, more) => {
        const base = dedupBtf(open(types)).btf
        const builder = btfBuilder({ base, rules: 'none' })
        builder.addBtf(open(more))
        const split = dedupBtf(builder.open()).btf
        let relocated: Btf
        try {
          relocated = relocateBtf(distillBase(split).btf, base).btf
        } catch (error) {
          // A base may have two types of a name, or declarations beside definitions.
          if (isTsbpfError(error, 'BTF_RELOCATE') || isTsbpfError(error, 'BTF_CYCLE')) return
          throw error
        }
        const pairs = Array.from(
          { length: split.endId - split.firstId },
          (_, i) => [split.firstId + i, split.firstId + i] as const,
        )
        expect(difference(split, relocated, pairs)).toBeUndefined()
      }),
    )
  })
})

describe('sanitising', () => {
  const features: readonly BtfFeature[] = [
    'func',
    'func_global',
    'datasec',
    'qmark_datasec',
    'float',
    'decl_tag',
    'type_tag',
    'enum64',
  ]
  it('leaves nothing of what is missing, keeps ids, and done again changes nothing', () => {
    fc.assert(
      fc.property(anyGraph, fc.subarray([...features]), (types, missing) => {
        const has = (feature: BtfFeature): boolean => !missing.includes(feature)
        const btf = open(types)
        const safe = sanitizeBtf(btf, has)
        const kinds = new Set(Array.from({ length: safe.endId }, (_, id) => safe.kind(id)))
        for (const kind of ['float', 'decl_tag', 'type_tag', 'enum64', 'datasec', 'func'] as const) {
          if (missing.includes(kind)) expect(kinds).not.toContain(kind)
        }
        expect(safe.endId - btf.endId).toBeGreaterThanOrEqual(0)
        expect(safe.endId - btf.endId).toBeLessThanOrEqual(1)
        expect(sanitizeBtf(safe, has)).toBe(safe)
        expect(sanitizeBtf(btf, () => true)).toBe(btf)
      }),
    )
  })
})
