import { describe, expect, it } from 'vitest'
import { asNumbers, maxCpus, minCpus, objectCodec, sumCpus } from './index.ts'
import type { ElementCodec } from './index.ts'

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error
const view = new DataView(new ArrayBuffer(16))
const bytes = new Uint8Array(view.buffer)

describe('numbers', () => {
  it('are given instead of bigints, wherever they are, and never wrong', () => {
    let value: unknown
    const codec: ElementCodec<unknown> = { size: 8, decode: () => value, encodeInto: () => undefined }
    const numbers = asNumbers(codec)
    value = { a: 1n, b: [2n, { c: 3n }], d: 'x', e: Uint8Array.of(1), f: null }
    expect(numbers.decode(view, 0)).toEqual({ a: 1, b: [2, { c: 3 }], d: 'x', e: Uint8Array.of(1), f: null })
    value = [2n ** 53n]
    expect(() => numbers.decode(view, 0)).toThrow(code('MAP_NUMBER_RANGE'))
    expect(numbers.size).toBe(8)
  })

  it('of all processors are reduced member by member', () => {
    expect([sumCpus([1, 2, 3]), sumCpus([1n, 2n]), maxCpus([1n, 5n, 2n]), minCpus([4, 2, 9])]).toEqual([
      6,
      3n,
      5n,
      2,
    ])
    const values = [
      { packets: 1, bytes: [10n, 1n], name: 'a' },
      { packets: 2, bytes: [20n, 2n], name: 'b' },
    ]
    expect(sumCpus(values)).toEqual({ packets: 3, bytes: [30n, 3n], name: 'a' })
    expect(maxCpus(values)).toEqual({ packets: 2, bytes: [20n, 2n], name: 'a' })
    expect(sumCpus([])).toBeUndefined()
  })

  it('of descriptors come from objects, too, and ids are read', () => {
    objectCodec(8).encodeInto({ fd: 7 }, bytes, 4)
    expect([view.getBigUint64(4, true), objectCodec(4).decode(view, 4)]).toEqual([7n, 7])
    for (const wrong of [-1, 1.5, 2 ** 31, { fd: 'x' }, null, undefined, 7n, {}]) {
      expect(() => objectCodec(4).encodeInto(wrong as number, bytes, 0)).toThrow(code('MAP_ELEMENT_SIZE'))
    }
  })
})
