import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, Cursor, i32, isTsbpfError, layoutAt, struct, u16, u32, u64, u8 } from '../../src/index.ts'

const Demo = struct('demo', { a: u8, b: u16, c: u32, d: u64, e: i32, f: bytes(3), g: u8 })
const demo = fc.record({
  a: fc.nat(0xff),
  b: fc.nat(0xffff),
  c: fc.nat(0xffffffff),
  d: fc.bigInt(0n, (1n << 64n) - 1n),
  e: fc.integer(),
  f: fc.uint8Array({ minLength: 3, maxLength: 3 }),
  g: fc.nat(0xff),
})

describe('layout', () => {
  it('stands where C puts it', () => {
    expect(Demo.size).toBe(24)
    expect(Demo.offsets).toEqual({ a: 0, b: 2, c: 4, d: 8, e: 16, f: 20, g: 23 })
  })

  it('decode∘encode = id in both byte orders', () => {
    fc.assert(
      fc.property(demo, fc.boolean(), (value, littleEndian) => {
        const encoded = Demo.encode(value, littleEndian)
        const decoded = Demo.read(new Cursor(encoded, { littleEndian, path: 'demo' }), 'it')
        expect(decoded).toEqual(value)
      }),
    )
  })

  it('encode∘decode = id on bytes whose padding is zero', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: Demo.size, maxLength: Demo.size }), fc.boolean(), (raw, le) => {
        raw[1] = 0
        const cursor = new Cursor(raw, { littleEndian: le, path: 'demo' })
        expect(Demo.encode(Demo.read(cursor, 'it'), le)).toEqual(raw)
      }),
    )
  })

  it('reads nothing past the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: Demo.size - 1 }), (raw) => {
        const cursor = new Cursor(raw, { littleEndian: true, path: 'demo' })
        try {
          Demo.read(cursor, 'it')
        } catch (error) {
          return isTsbpfError(error, 'BASE_TRUNCATED')
        }
        return false
      }),
    )
  })

  it('writes zeroes for fields not given, at given offsets', () => {
    const Union = layoutAt('attr', 12, { x: u32, y: u64 }, { x: 0, y: 4 })
    const target = new Uint8Array(12).fill(0xff)
    Union.write(new DataView(target.buffer), 0, { x: 1 }, true)
    expect([...target]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  })
})
