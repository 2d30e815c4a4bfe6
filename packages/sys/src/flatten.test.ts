import { describe, expect, it } from 'vitest'
import { flatten } from './flatten.ts'
import type { AttrPointer } from './sys.ts'

const bytes = (): Uint8Array => new Uint8Array(16)

describe('flatten', () => {
  it('puts parents before their children', () => {
    const [a, b, c, d] = [bytes(), bytes(), bytes(), bytes()]
    const { slots, buffers } = flatten([
      { at: 8, buffer: a, pointers: [{ at: 0, buffer: c, pointers: [{ at: 4, buffer: d }] }] },
      { at: 16, buffer: b },
    ])
    expect(buffers).toEqual([a, b, c, d])
    expect([...slots]).toEqual([8, 16, 2 ** 32, 3 * 2 ** 32 + 4])
  })

  it('has nothing for no pointers', () => {
    expect(flatten(undefined).buffers).toHaveLength(0)
    expect(flatten([]).slots).toHaveLength(0)
  })

  it.each([-1, 0.5, NaN, 2 ** 32, Infinity])('refuses the offset %d', (at) => {
    expect(() => flatten([{ at, buffer: bytes() }])).toThrow(
      expect.objectContaining({ code: 'SYS_POINTERS' }),
    )
  })

  it('stops at five levels', () => {
    const nest = (depth: number): AttrPointer =>
      depth === 1 ? { at: 0, buffer: bytes() } : { at: 0, buffer: bytes(), pointers: [nest(depth - 1)] }
    expect(flatten([nest(4)]).buffers).toHaveLength(4)
    expect(() => flatten([nest(5)])).toThrow(/nested too deep/)
  })
})
