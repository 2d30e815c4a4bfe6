import { isTsbpfError } from '@tsbpf/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/codec.ts'
import type { Codec } from '../../src/codec.ts'
import { parseBtf } from '../../src/parse-btf.ts'
import { makeBtf } from '../make-btf.ts'
import type { MadeType } from '../make-btf.ts'
import { anyShape } from '../value-shapes.ts'

/** The two that must not differ. */
function twins(types: readonly MadeType[], id: number, little: boolean): readonly [Codec, Codec] {
  const btf = parseBtf(makeBtf(types, { little }))
  return [codec(btf, id, { compile: 'now' }), codec(btf, id, { compile: 'never' })]
}

/** A result or an error, as something to compare. */
function outcome(run: () => unknown): unknown {
  try {
    return { result: run() }
  } catch (error) {
    if (isTsbpfError(error)) return { code: error.code, message: error.message, hint: error.hint }
    throw error
  }
}

const sample = anyShape.chain((shape) => fc.tuple(fc.constant(shape), shape.value, fc.boolean()))

describe('compiled and interpreted', { timeout: 60_000 }, () => {
  it('decode any bytes to the same value', () => {
    const seeds = fc.uint8Array({ minLength: 1, maxLength: 64 })
    fc.assert(
      fc.property(anyShape, fc.boolean(), seeds, fc.nat(9), (shape, little, seed, offset) => {
        const types: MadeType[] = []
        const id = shape.build(types)
        const [compiled, interpreted] = twins(types, id, little)
        const bytes = Uint8Array.from(
          { length: offset + compiled.size * 3 },
          (_, i) => seed[i % seed.length]!,
        )
        const value = compiled.decode(bytes, offset)
        const same = interpreted.decode(bytes, offset)
        expect(value).toEqual(same)
        expect(compiled.decode(new DataView(bytes.buffer), offset)).toEqual(same)
        const many = { offset, count: 3 }
        expect(compiled.decodeMany(bytes, many)).toEqual(interpreted.decodeMany(bytes, many))
        expect(compiled.decodeMany(bytes, many)[0]).toEqual(same)
        expect(compiled.compiled).toBe(true)
        expect(interpreted.compiled).toBe(false)
      }),
      { numRuns: 400 },
    )
    expect(globalThis).not.toHaveProperty('owned')
  })

  it('encode any value to the same bytes', () => {
    fc.assert(
      fc.property(sample, ([shape, value, little]) => {
        const types: MadeType[] = []
        const id = shape.build(types)
        const [compiled, interpreted] = twins(types, id, little)
        const bytes = interpreted.encode(value)
        expect(compiled.encode(value)).toEqual(bytes)
        // What has been decoded has all members of each union.
        const whole = interpreted.decode(bytes)
        expect(outcome(() => compiled.encode(whole))).toEqual(outcome(() => interpreted.encode(whole)))
      }),
      { numRuns: 400 },
    )
    expect(globalThis).not.toHaveProperty('owned')
  })

  it('refuse the same values in the same words', () => {
    const wrong = fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true })
    /** Puts something else in the place of one part of a value. */
    const spoilt = (value: unknown, path: readonly number[], other: unknown): unknown => {
      const [step, ...rest] = path
      if (step === undefined) return other
      if (Array.isArray(value) && value.length > 0) {
        return value.map((part: unknown, i) => (i === step % value.length ? spoilt(part, rest, other) : part))
      }
      if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return other
      const rows = Object.entries(value)
      if (rows.length === 0) return other
      return Object.fromEntries(
        rows.map(([name, part], i) => [name, i === step % rows.length ? spoilt(part, rest, other) : part]),
      )
    }
    fc.assert(
      fc.property(
        sample,
        fc.array(fc.nat(5), { maxLength: 4 }),
        wrong,
        ([shape, value, little], path, other) => {
          const types: MadeType[] = []
          const id = shape.build(types)
          const [compiled, interpreted] = twins(types, id, little)
          const given = spoilt(value, path, other)
          const said = outcome(() => interpreted.encode(given))
          expect(outcome(() => compiled.encode(given))).toEqual(said)
          const bytes = new Uint8Array(compiled.size).fill(0x55)
          const into = outcome(() => {
            compiled.encodeInto(given, bytes)
            return bytes.slice()
          })
          expect(into).toEqual(said)
          if (!Object.hasOwn(into as object, 'result')) expect(bytes).toEqual(bytes.slice().fill(0x55))
        },
      ),
      { numRuns: 400 },
    )
  })
})
