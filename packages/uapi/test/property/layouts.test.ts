import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layouts } from '../exports.ts'

function valueOf(type: string, size: number): fc.Arbitrary<unknown> {
  if (type === 'u64') return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
  if (type === 'i32') return fc.integer()
  if (type.startsWith('u8[')) return fc.uint8Array({ minLength: size, maxLength: size })
  return fc.integer({ min: 0, max: 2 ** (size * 8) - 1 })
}

const fieldOf = fc
  .constantFrom(...layouts)
  .chain(([, layout]) =>
    fc.constantFrom(...Object.entries(layout.fields)).map((field) => ({ layout, field })),
  )
  .chain(({ layout, field: [name, type] }) =>
    fc.record({
      layout: fc.constant(layout),
      name: fc.constant(name),
      size: fc.constant(type.size),
      value: valueOf(type.name, type.size),
    }),
  )

describe('every layout', () => {
  it('reads back what it wrote, in either byte order, and writes nowhere else', () => {
    fc.assert(
      fc.property(fieldOf, fc.boolean(), ({ layout, name, size, value }, littleEndian) => {
        const bytes = layout.encode({ [name]: value }, littleEndian)
        expect(bytes.length).toBe(layout.size)
        const read = layout.readAt(new DataView(bytes.buffer), 0, littleEndian)
        expect(read[name]).toEqual(value)
        const at = layout.offsets[name] ?? -1
        bytes.fill(0, at, at + size)
        expect(bytes.every((byte) => byte === 0)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps its fields inside it and at their alignment', () => {
    for (const [path, layout] of layouts) {
      for (const [name, type] of Object.entries(layout.fields)) {
        const at = layout.offsets[name] ?? -1
        expect(at % type.align, `${path}.${name}`).toBe(0)
        expect(at + type.size, `${path}.${name}`).toBeLessThanOrEqual(layout.size)
      }
    }
  })
})
