import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../../test/make-btf.ts'
import { codec } from '../codec.ts'
import { parseBtf } from '../parse-btf.ts'
import { joinChunks, printC, printRaw } from '../print/index.ts'
import { dedupBtf, encodeBtf, mergeBtf, sanitizeBtf, swapBtf } from './index.ts'

const int = made.int('int', 4, 1)
const members = (count: number) => Array.from({ length: count }, (_, i) => [`m${i}`, 1, i * 32] as const)

/**
 * The same BTF as Linux 7.0 writes it: a header of 32 bytes, and for each of 20 kinds a `struct btf_layout`, in front of the
 * types, between types and strings, or behind these.
 */
function withLayout(plain: Uint8Array, place: number, little: boolean): Uint8Array {
  const size = 20 * 4
  const from = new DataView(plain.buffer, plain.byteOffset)
  const types = plain.subarray(24, 24 + from.getUint32(12, little))
  const strings = plain.subarray(24 + types.length)
  const parts = [types, strings]
  parts.splice(place, 0, new Uint8Array(size).fill(0xee))
  const bytes = new Uint8Array(32 + types.length + strings.length + size)
  bytes.set(plain.subarray(0, 24))
  const at = new Map<Uint8Array, number>()
  let end = 32
  for (const part of parts) {
    at.set(part, end - 32)
    bytes.set(part, end)
    end += part.length
  }
  const view = new DataView(bytes.buffer)
  view.setUint32(4, 32, little)
  view.setUint32(8, at.get(types) ?? 0, little)
  view.setUint32(16, at.get(strings) ?? 0, little)
  view.setUint32(24, at.get(parts[place] ?? types) ?? 0, little)
  view.setUint32(28, size, little)
  return bytes
}

describe.each([true, false])('the newest BTF, little endian %s', (little) => {
  const plain = makeBtf([int, made.struct('small', 12, members(3)), made.ptr(2)], { little })
  const known = parseBtf(plain)

  it.each([
    ['in front', 0],
    ['in the middle', 1],
    ['at the end', 2],
  ])('with its layout section %s is read, printed and written as without', (_, place) => {
    const bytes = withLayout(plain, place, little)
    const btf = parseBtf(bytes)
    expect(btf.endId).toBe(known.endId)
    expect(btf.type(2)).toEqual(known.type(2))
    expect(btf.idsByName('small')).toEqual([2])
    expect(joinChunks(printRaw(btf))).toBe(joinChunks(printRaw(known)))
    expect(mergeBtf([btf]).btf.bytes).toEqual(mergeBtf([known]).btf.bytes)
    expect(dedupBtf(btf).btf.bytes).toEqual(dedupBtf(known).btf.bytes)
    expect(sanitizeBtf(btf, () => true)).toBe(btf)
    const swapped = swapBtf(bytes)
    expect(parseBtf(swapped).type(2)).toEqual(known.type(2))
    expect(swapBtf(swapped)).toEqual(bytes)
  })

  it('has structs of more members than 16 bits count', () => {
    const count = 70_000
    const huge = parseBtf(makeBtf([int, made.struct('huge', count * 4, members(count))], { little }))
    expect(joinChunks(printRaw(huge)).includes(`STRUCT 'huge' size=${count * 4} vlen=${count}\n`)).toBe(true)
    expect(joinChunks(printC(huge, { order: 'id' })).includes(`\tint m${count - 1};\n}`)).toBe(true)
    expect(dedupBtf(mergeBtf([huge, huge]).btf).btf.endId).toBe(huge.endId)
    const type = huge.find('huge', 'struct')
    const again = encodeBtf(
      [
        { kind: 'int', name: 'int', size: 4, signed: true },
        { kind: 'struct', name: 'huge', size: count * 4, members: type?.members ?? [] },
      ],
      { littleEndian: little, rules: 'none' },
    )
    // Assertions on so many members would take minutes.
    expect(again.length).toBe(huge.bytes.length)
    expect(again.every((byte, at) => byte === huge.bytes[at])).toBe(true)
    const found = codec(huge, 2, { compile: 'never' })
    const value = found.decode(new Uint8Array(found.size).fill(1)) as Record<string, number>
    expect([Object.keys(value).length, value['m69999']]).toEqual([count, 0x0101_0101])
    expect(found.encode(value).every((byte) => byte === 1)).toBe(true)
  }, 20_000)
})
