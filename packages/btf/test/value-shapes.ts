import fc from 'fast-check'
import { made } from './make-btf.ts'
import type { MadeType } from './make-btf.ts'

/**
 * A type that does not yet know its ids, what a C compiler would make of its size, and values of it.
 * `build` adds types to the list and returns the id of the last.
 */
export interface Shape {
  readonly size: number
  readonly build: (types: MadeType[]) => number
  readonly value: fc.Arbitrary<unknown>
}

const add = (types: MadeType[], type: MadeType): number => types.push(type)

function integer(name: string, size: number, signed: boolean): Shape {
  const bits = BigInt(size * 8)
  const min = signed ? -(1n << (bits - 1n)) : 0n
  const max = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n
  const value = fc.bigInt({ min, max })
  return {
    size,
    build: (types) => add(types, made.int(name, size, signed ? 1 : 0)),
    value: size > 4 ? value : value.map(Number),
  }
}

const scalars: readonly Shape[] = [
  ...[1, 2, 4, 8, 16].flatMap((size) => [integer(`i${size}`, size, true), integer(`u${size}`, size, false)]),
  { size: 1, build: (types) => add(types, made.int('_Bool', 1, 4)), value: fc.boolean() },
  {
    size: 8,
    build: (types) => add(types, made.ptr(0)),
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  },
  { size: 8, build: (types) => add(types, made.float('double', 8)), value: fc.double({ noNaN: true }) },
  { size: 4, build: (types) => add(types, made.float('float', 4)), value: fc.float({ noNaN: true }) },
  {
    size: 4,
    build: (types) => add(types, made.enum('e', [['A', 1], ['B', -7]], true)), // prettier-ignore
    value: fc.oneof(fc.constantFrom('A', 'B'), fc.integer({ min: 10 })),
  },
  {
    size: 8,
    build: (types) => add(types, made.enum64('w', [['A', 1n << 40n]])),
    value: fc.oneof(fc.constant('A'), fc.bigInt({ min: 0n, max: 99n })),
  },
]

const text = (length: number): Shape => ({
  size: length,
  build: (types) => add(types, made.array(add(types, made.int('char', 1, 1)), length)),
  value: fc
    .string({ unit: 'binary', maxLength: length })
    .filter((value) => !value.includes('\0') && new TextEncoder().encode(value).length <= length),
})

const raw = (length: number): Shape => ({
  size: length,
  build: (types) => add(types, made.array(add(types, made.int('unsigned char', 1)), length)),
  value: fc.uint8Array({ minLength: length, maxLength: length }),
})

/** Through a typedef and a modifier now and then. */
const wrapped = (shape: Shape): Shape => ({
  ...shape,
  build: (types) => add(types, made.const(add(types, made.typedef('t', shape.build(types))))),
})

const arrayOf = (element: Shape, length: number): Shape => ({
  size: element.size * length,
  build: (types) => add(types, made.array(element.build(types), length)),
  value: fc.array(element.value, { minLength: length, maxLength: length }),
})

/** Names that code made of them carelessly would stumble over, or run. */
const hostileNames = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'at',
  'view',
  'values',
  'f0',
  'v0',
  '0',
  '-1',
  'class',
  'a b',
  '"',
  '\\',
  '\\"',
  "'",
  '`${globalThis.owned=1}`',
  '"]:globalThis.owned=1,["',
  '": (globalThis.owned = 1), "',
  '\\u0022: globalThis.owned = 1, \\u0022',
  '*/globalThis.owned=1/*',
  '//',
  '\n',
  '\r\nglobalThis.owned=1//',
  '\u2028globalThis.owned=1',
  '\u2029',
  '</script>',
  'größe',
  '名',
  '😀',
  '\ufeff',
]

/** A name of a member as no compiler writes it, but a stranger's object may. */
export const hostileName = fc.oneof(
  fc.constantFrom(...hostileNames),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((name) => !name.includes('\0')),
)

/** A bitfield: its declared size, sign and width. */
interface Bits {
  readonly size: number
  readonly signed: boolean
  readonly width: number
}
const bits: fc.Arbitrary<Bits> = fc
  .record({ size: fc.constantFrom(1, 2, 4, 8, 16), signed: fc.boolean() })
  .chain(({ size, signed }) =>
    fc.record({
      size: fc.constant(size),
      signed: fc.constant(signed),
      width: fc.integer({ min: 1, max: size * 8 }),
    }),
  )

/** Members behind each other without padding, then bitfields behind each other at any bit. */
const structOf = (names: readonly string[], members: readonly Shape[], fields: readonly Bits[]): Shape => {
  const at: number[] = []
  let size = 0
  for (const member of members) {
    at.push(size)
    size += member.size
  }
  const flags = size * 8
  size += Math.ceil(fields.reduce((sum, { width }) => sum + width, 0) / 8)
  const nameOf = (i: number): string => names[i] ?? `m${i}`
  const rows: [string, fc.Arbitrary<unknown>][] = [
    ...members.map(({ value }, i): [string, fc.Arbitrary<unknown>] => [nameOf(i), value]),
    ...fields.map(({ size: bytes, signed, width }, i): [string, fc.Arbitrary<unknown>] => {
      const min = signed ? -(1n << BigInt(width - 1)) : 0n
      const value = fc.bigInt({ min, max: min + (1n << BigInt(width)) - 1n })
      return [nameOf(members.length + i), bytes > 4 ? value : value.map(Number)]
    }),
  ]
  return {
    size,
    build(types) {
      const made_: [string, number, number, number?][] = members.map((member, i) => [
        nameOf(i),
        member.build(types),
        (at[i] ?? 0) * 8,
        0,
      ])
      let bit = flags
      fields.forEach(({ size: bytes, signed, width }, i) => {
        const word = add(types, made.int('word', bytes, signed ? 1 : 0))
        made_.push([nameOf(members.length + i), word, bit, width])
        bit += width
      })
      return add(types, made.struct('s', size, made_))
    },
    // Own properties whatever their names: an object literal would make `__proto__` another thing.
    value: fc
      .tuple(...rows.map(([, value]) => value))
      .map((values) => Object.fromEntries(rows.map(([name], i) => [name, values[i]]))),
  }
}

/** A union, of whose members one is given. */
const unionOf = (names: readonly string[], members: readonly Shape[]): Shape => {
  const size = Math.max(0, ...members.map((member) => member.size))
  const nameOf = (i: number): string => names[i] ?? `m${i}`
  return {
    size,
    build: (types) =>
      add(
        types,
        made.union(
          'u',
          size,
          members.map((member, i): [string, number, number] => [nameOf(i), member.build(types), 0]),
        ),
      ),
    value:
      members.length === 0
        ? fc.constant({})
        : fc
            .oneof(...members.map(({ value }, i) => value.map((given) => [nameOf(i), given] as const)))
            .map((row) => Object.fromEntries([row])),
  }
}

/** A struct in an anonymous struct or union of another: its members are the other's own. */
const nested = (inner: Shape): Shape => ({
  ...inner,
  build: (types) => {
    const id = inner.build(types)
    return add(types, made.struct('outer', inner.size, [['', id, 0]]))
  },
})

/** Distinct names, some of them hostile. */
const names = fc.uniqueArray(hostileName, { maxLength: 8 })

function shapes(withUnions: boolean): fc.Arbitrary<Shape> {
  return fc.letrec<{ shape: Shape; record: Shape }>((tie) => ({
    shape: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom(...scalars),
      fc.integer({ min: 1, max: 30 }).map(text),
      fc.integer({ min: 1, max: 12 }).map(raw),
      tie('shape').map(wrapped),
      fc
        .constantFrom(...scalars)
        .filter(({ size }) => size > 1)
        .map((element) => arrayOf(element, 30)),
      fc
        .tuple(tie('shape'), fc.nat(4))
        // Arrays of one-byte ints are text and bytes, which have shapes of their own.
        .filter(([element]) => element.size > 1)
        .map(([element, length]) => arrayOf(element, length)),
      tie('record'),
      tie('record').map(nested),
    ),
    record: fc.oneof(
      {
        weight: 3,
        arbitrary: fc
          .tuple(names, fc.array(tie('shape'), { maxLength: 4 }), fc.array(bits, { maxLength: 4 }))
          .map(([given, members, fields]) => structOf(given, members, fields)),
      },
      ...(withUnions
        ? [
            {
              weight: 1,
              arbitrary: fc
                .tuple(names, fc.array(tie('shape'), { maxLength: 3 }))
                .map(([given, members]) => unionOf(given, members)),
            },
          ]
        : []),
    ),
  })).shape
}

/** Types without unions: what is decoded is what was encoded. */
export const shape = shapes(false)
/** Types of all kinds. */
export const anyShape = shapes(true)
