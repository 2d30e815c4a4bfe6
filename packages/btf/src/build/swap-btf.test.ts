import { describe, expect, it } from 'vitest'
import { parseBtf } from '../parse-btf.ts'
import { encodeBtf } from './encode-btf.ts'
import { swapBtf } from './swap-btf.ts'

const plain = encodeBtf([{ kind: 'int', name: 'int', size: 4, signed: true }])

/** The header of Linux 7.0, with a layout section of one kind behind the strings. */
function withLayout(): Uint8Array {
  const bytes = new Uint8Array(plain.length + 8 + 3 + 4)
  const view = new DataView(bytes.buffer)
  bytes.set(plain.subarray(0, 24))
  view.setUint32(4, 32, true)
  bytes.set(plain.subarray(24), 32)
  // Behind 16 bytes of types and 5 of strings, aligned.
  view.setUint32(24, 24, true)
  view.setUint32(28, 4, true)
  bytes.set([4, 12, 0x34, 0x12], 32 + 24)
  return bytes
}

describe('swapping', () => {
  it('turns every number, and leaves strings', () => {
    const swapped = swapBtf(plain)
    expect([...swapped.subarray(0, 8)]).toEqual([0xeb, 0x9f, 1, 0, 0, 0, 0, 24])
    expect(swapped.subarray(-5)).toEqual(plain.subarray(-5))
    expect(parseBtf(swapped).type(1)).toEqual(parseBtf(plain).type(1))
    expect(swapBtf(swapped)).toEqual(plain)
  })

  it('turns the layout section of newer headers', () => {
    const bytes = withLayout()
    const swapped = swapBtf(bytes)
    expect(parseBtf(swapped).type(1)).toEqual(parseBtf(plain).type(1))
    expect([...swapped.subarray(24, 32)]).toEqual([0, 0, 0, 24, 0, 0, 0, 4])
    expect([...swapped.subarray(-4)]).toEqual([4, 12, 0x12, 0x34])
    expect(swapBtf(swapped)).toEqual(bytes)
  })

  it('bears a layout that is not there', () => {
    const bytes = withLayout()
    new DataView(bytes.buffer).setUint32(24, 0xffff_fff0, true)
    expect(swapBtf(swapBtf(bytes))).toEqual(bytes)
  })

  it('reads a split BTF without its base', () => {
    const base = parseBtf(plain)
    const split = encodeBtf([{ kind: 'ptr', type: 1 }], { base })
    expect(parseBtf(swapBtf(split, { split: true }), { base }).type(2)).toEqual({
      kind: 'ptr',
      id: 2,
      type: 1,
    })
  })

  it('refuses what is no BTF', () => {
    for (const bytes of [[], [1, 2, 3], [...plain.subarray(0, 20)]]) {
      expect(() => swapBtf(Uint8Array.from(bytes))).toThrow(/BTF: /)
    }
  })
})
