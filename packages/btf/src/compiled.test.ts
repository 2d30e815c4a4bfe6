import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import type { MadeType } from '../test/make-btf.ts'
import { hostileName, shape } from '../test/value-shapes.ts'
import { codec } from './codec.ts'
import { decoderSource } from './compile-decode.ts'
import { encoderSource } from './compile-encode.ts'
import { compileDecoder, compileEncoder } from './compiled.ts'
import { limits } from './limits.ts'
import { parseBtf } from './parse-btf.ts'
import type { ValueNode } from './value-node.ts'
import { valueNodes } from './value-tree.ts'

function nodeOf(types: readonly MadeType[], id: number, little = true): ValueNode {
  return valueNodes(parseBtf(makeBtf(types, { little }))).node(id)
}

const word = made.int('unsigned int', 4)

describe('made code', () => {
  it('is the same for all names but for the literals of the names', () => {
    const named = (names: readonly string[]): ValueNode =>
      nodeOf(
        [
          word,
          made.struct('inner', 4, [[names[0]!, 1, 0, 3], [names[1]!, 1, 3, 29]]), // prettier-ignore
          made.union('either', 4, [[names[0]!, 1, 0], [names[1]!, 2, 0]]), // prettier-ignore
          made.array(2, 3),
          made.struct('outer', 24, [
            [names[0]!, 1, 0],
            [names[1]!, 2, 32],
            [names[2]!, 3, 64],
            [names[3]!, 4, 96],
          ]),
        ],
        5,
      )
    const skeleton = (source: string): string =>
      // `__proto__` alone stands in brackets, so that it is a name like any other.
      source.replaceAll('["__proto__"]: ', '"": ').replaceAll(/"(?:\w|\\u[0-9a-f]{4})*"/g, '""')
    const plain = named(['a', 'b', 'c', 'd'])
    const four = fc.uniqueArray(hostileName, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(four, (names) => {
        const node = named(names)
        for (const write of [decoderSource, encoderSource]) {
          const { source } = write(node, true)
          expect(source).toMatch(/^[\n\x20-\x7e]*$/)
          expect(skeleton(source)).toBe(skeleton(write(plain, true).source))
        }
      }),
    )
  })

  it('has no names at all where there are none', () => {
    expect(decoderSource(nodeOf([word, made.array(1, 3)], 2), true).source).toMatchInlineSnapshot(`
      ""use strict"
      const [] = values
      return { read: (view, at) => ([view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true)]), readMany: function (view, at, count, stride) {
      const list = []
      for (let i = 0; i < count; i++, at += stride) list.push([view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true)])
      return list
      } }"
    `)
    expect(encoderSource(nodeOf([word, made.array(1, 3)], 2), false).source).toMatchInlineSnapshot(`
      ""use strict"
      const [v0] = values
      function f0(view, at, value) {
      if (!(v0(value) && value.length === 3)) return false
      for (let i = 0; i < 3; i++, at += 4) {
      const x1 = value[i]
      if (!((x1 << 0 >>> 0) === x1)) return false
      view.setUint32(at, x1, false)
      }
      return true
      }
      return (view, at, value) => {
      if (!(f0(view, at, value))) return false
      return true
      }"
    `)
  })

  it('sets a member named __proto__ as a member', () => {
    const types = [word, made.struct('s', 4, [['__proto__', 1, 0]])]
    const value = compileDecoder(nodeOf(types, 2), true)!.read(
      new DataView(Uint8Array.of(7, 0, 0, 0).buffer),
      0,
    )
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.entries(value as object)).toEqual([['__proto__', 7]])
  })

  it('encodes by itself whatever is right, and knows when it cannot', () => {
    const sample = shape.chain((type) => fc.tuple(fc.constant(type), type.value, fc.boolean()))
    fc.assert(
      fc.property(sample, ([type, value, little]) => {
        const types: MadeType[] = []
        const node = nodeOf(types, type.build(types), little)
        const encode = compileEncoder(node, little)!
        const bytes = new Uint8Array(node.size)
        expect(encode(new DataView(bytes.buffer), 0, value)).toBe(true)
        const by = new Uint8Array(node.size)
        node.write(new DataView(by.buffer), 0, value)
        expect(bytes).toEqual(by)
      }),
      { numRuns: 300 },
    )
    const encode = compileEncoder(nodeOf([word, made.struct('s', 4, [['a', 1, 0]])], 2), true)!
    const view = new DataView(new ArrayBuffer(4))
    for (const value of [
      { b: 1 },
      { a: -1 },
      { a: '1' },
      [],
      new (class {
        a = 1
      })(),
      Object.create({ a: 1 }),
    ]) {
      expect(encode(view, 0, value)).toBe(false)
    }
  })

  it('is not made for types too large to be worth it', () => {
    const rows = Array.from({ length: limits.compiledExpressions + 1 }, (_, i): [string, number, number] => [
      `m${i}`,
      1,
      i * 32,
    ])
    const types = [word, made.struct('large', rows.length * 4, rows)]
    const btf = parseBtf(makeBtf(types))
    const large = codec(btf, 2, { compile: 'now' })
    const bytes = new Uint8Array(large.size).fill(1)
    expect(large.encode(large.decode(bytes))).toEqual(bytes)
    expect(large.compiled).toBe(false)
    // Long arrays are loops, however many values they have.
    const many = codec(parseBtf(makeBtf([word, made.array(1, 100_000)])), 2, { compile: 'now' })
    expect(many.decode(new Uint8Array(400_000))).toHaveLength(100_000)
    expect(many.compiled).toBe(true)
  })
})

describe('what polluted prototypes hold', () => {
  const types = [word, made.struct('s', 8, [['ordinary', 1, 0], ['constructor', 1, 32]])] // prettier-ignore

  it.each([true, false])('is neither encoded nor in the way, enumerable %s', (enumerable) => {
    const btf = parseBtf(makeBtf(types))
    const compiled = codec(btf, 2, { compile: 'now' })
    const encode = (): unknown => [{}, { constructor: 1 }].map((value) => compiled.encode(value))
    const clean = encode()
    const bytes = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0)
    const seen: unknown[] = []
    Object.defineProperty(Object.prototype, 'ordinary', { value: 5, enumerable, configurable: true })
    try {
      seen.push(encode())
      for (const compile of ['now', 'never'] as const) seen.push(codec(btf, 2, { compile }).decode(bytes))
    } finally {
      Reflect.deleteProperty(Object.prototype, 'ordinary')
    }
    expect(clean).toEqual([new Uint8Array(8), Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0)])
    expect(seen).toEqual([clean, { ordinary: 1, constructor: 2 }, { ordinary: 1, constructor: 2 }])
  })
})

describe('a codec', () => {
  const small = (): ReturnType<typeof codec> =>
    codec(parseBtf(makeBtf([word, made.struct('s', 4, [['a', 1, 0]])])), 2)

  it('is compiled once it is hot', () => {
    const found = small()
    const bytes = new Uint8Array(4)
    for (let i = 1; i < limits.usesBeforeCompiling; i++) found.decode(bytes)
    expect(found.compiled).toBe(false)
    expect(found.decode(bytes)).toEqual({ a: 0 })
    expect(found.compiled).toBe(true)
  })

  it('is hot after one call for many values', () => {
    const found = small()
    found.decodeMany(new Uint8Array(4 * limits.usesBeforeCompiling))
    expect(found.compiled).toBe(true)
  })

  it('is kept apart by the way in which it is compiled', () => {
    const btf = parseBtf(makeBtf([word]))
    expect(codec(btf, 1, { compile: 'never' })).toBe(codec(btf, 1, { compile: 'never' }))
    expect(codec(btf, 1, { compile: 'never' })).not.toBe(codec(btf, 1))
    expect(codec(btf, 1, { compile: 'hot' })).toBe(codec(btf, 1))
  })

  it('may be used by a getter of the value that it encodes', () => {
    const found = small()
    const outer = { get a() { return found.encode({ a: 7 })[0] } } // prettier-ignore
    for (let i = 0; i < limits.usesBeforeCompiling * 2; i++) {
      expect(found.encode(outer)).toEqual(Uint8Array.of(7, 0, 0, 0))
    }
  })
})
