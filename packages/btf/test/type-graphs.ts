import fc from 'fast-check'
import type { BtfType } from '../src/index.ts'
import type { BtfTypeInput } from '../src/index.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz_ABCXYZ'.split('')
const digits = '0123456789'.split('')
/** Often one of few, so that types meet others of their name. */
const name = fc.oneof(
  fc.constantFrom('a', 'b'),
  fc
    .array(fc.constantFrom(...letters, ...digits), { maxLength: 6 })
    .chain((rest) => fc.constantFrom(...letters).map((first) => first + rest.join(''))),
)
const nameOrNone = fc.oneof({ arbitrary: name, weight: 3 }, { arbitrary: fc.constant(''), weight: 1 })
const u32 = fc.nat(0xffff_ffff)
const small = fc.nat(64)

/** Any type that keeps the rules of `object` but for what ids refer to; ids are below `count + 1`. */
export function anyType(count: number): fc.Arbitrary<BtfTypeInput> {
  const id = fc.integer({ min: 0, max: count })
  const some = fc.integer({ min: 1, max: Math.max(1, count) })
  const linkage = fc.constantFrom('static' as const, 'global' as const, 'extern' as const)
  const encoding = fc.constantFrom(
    { signed: false, char: false, bool: false },
    { signed: true, char: false, bool: false },
    { signed: false, char: true, bool: false },
    { signed: false, char: false, bool: true },
  )
  const members = (union: boolean, bitfields: boolean) =>
    fc
      .array(
        fc.record({
          name: nameOrNone,
          type: some,
          step: union ? fc.constant(0) : small,
          bitfieldSizeBits: bitfields ? fc.integer({ min: 0, max: 31 }) : fc.constant(0),
        }),
        { maxLength: 5 },
      )
      .map((rows) => {
        let at = 0
        return rows.map(({ step, ...row }) => ({ ...row, offsetBits: (at += step) }))
      })
  return fc.oneof(
    fc
      .record({ name, size: fc.constantFrom(1, 2, 4, 8, 16), encoding })
      .map(({ encoding: flags, ...rest }): BtfTypeInput => ({
        kind: 'int',
        ...rest,
        bits: rest.size * 8,
        offsetBits: 0,
        ...flags,
      })),
    fc.record({
      kind: fc.constantFrom('ptr' as const, 'const' as const, 'volatile' as const, 'restrict' as const),
      type: id,
    }),
    fc.record({ kind: fc.constant('array' as const), type: some, indexType: some, length: u32 }),
    fc.record({ union: fc.boolean(), bitfields: fc.boolean() }).chain(({ union, bitfields }) =>
      fc.record({
        kind: fc.constant(union ? ('union' as const) : ('struct' as const)),
        name: nameOrNone,
        size: fc.constantFrom(64, 128, 4096),
        kindFlag: fc.constant(bitfields),
        members: members(union, bitfields),
      }),
    ),
    fc.boolean().chain((signed) =>
      fc.record({
        kind: fc.constant('enum' as const),
        name: nameOrNone,
        size: fc.constantFrom(1, 2, 4, 8),
        signed: fc.constant(signed),
        values: fc.array(
          fc.record({
            name,
            value: signed ? fc.bigInt(-(2n ** 31n), 2n ** 31n - 1n) : fc.bigInt(0n, 2n ** 32n - 1n),
          }),
          { maxLength: 4 },
        ),
      }),
    ),
    fc.boolean().chain((signed) =>
      fc.record({
        kind: fc.constant('enum64' as const),
        name: nameOrNone,
        size: fc.constant(8),
        signed: fc.constant(signed),
        values: fc.array(
          fc.record({
            name,
            value: signed ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) : fc.bigInt(0n, 2n ** 64n - 1n),
          }),
          { maxLength: 4 },
        ),
      }),
    ),
    fc.record({ kind: fc.constant('fwd' as const), name, union: fc.boolean() }),
    fc.record({ kind: fc.constant('typedef' as const), name, type: id }),
    fc.record({ kind: fc.constant('type_tag' as const), name, type: id, kindFlag: fc.boolean() }),
    fc.record({ kind: fc.constant('func' as const), name, type: some, linkage }),
    fc.record({
      kind: fc.constant('func_proto' as const),
      returnType: id,
      params: fc.array(fc.record({ name: nameOrNone, type: some }), { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('var' as const), name, type: some, linkage }),
    fc.record({
      kind: fc.constant('datasec' as const),
      name: name.map((text) => `.${text}`),
      size: small,
      vars: fc.array(fc.record({ type: some, offset: small, size: small }), { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('float' as const), name, size: fc.constantFrom(2, 4, 8, 12, 16) }),
    fc.record({
      kind: fc.constant('decl_tag' as const),
      name,
      type: some,
      component: fc.integer({ min: -1, max: 10 }),
      kindFlag: fc.boolean(),
    }),
  )
}

/** Types that refer to each other at will, in any order and in circles; ids from 1. */
export const anyGraph: fc.Arbitrary<readonly BtfTypeInput[]> = fc
  .integer({ min: 1, max: 24 })
  .chain((count) => fc.array(anyType(count), { minLength: count, maxLength: count }))

/** Types as C has them: circles lead through a struct's members alone. */
export const cGraph: fc.Arbitrary<readonly BtfTypeInput[]> = anyGraph.map((types) =>
  types.map((type, index) => {
    const below = (id: number): number => Math.min(id, index)
    switch (type.kind) {
      case 'ptr':
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'typedef':
      case 'type_tag':
      case 'func':
      case 'var':
      case 'decl_tag':
        return { ...type, type: below(type.type) }
      case 'array':
        return { ...type, type: below(type.type), indexType: below(type.indexType) }
      case 'func_proto': {
        const params = type.params.map((param) => ({ ...param, type: below(param.type) }))
        return { ...type, returnType: below(type.returnType), params }
      }
      default:
        return type
    }
  }),
)

/** A decoded type without its id. */
export function withoutId(type: BtfType): Record<string, unknown> {
  return Object.fromEntries(Object.entries(type).filter(([key]) => key !== 'id'))
}
