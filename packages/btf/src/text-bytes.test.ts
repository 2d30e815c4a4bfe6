import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText, encodeText } from './text-bytes.ts'

const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

describe('text of bytes', () => {
  it.each<readonly [string, readonly number[], string]>([
    ['nothing', [], ''],
    ['ASCII up to the first NUL', [0x61, 0x62, 0, 0x63], 'ab'],
    ['UTF-8', [0xc3, 0xa4, 0xf0, 0x9f, 0x98, 0x80], 'ä😀'],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
    ['a replacement character that is there', [0xef, 0xbf, 0xbd], '\ufffd'],
    ['a stray byte', [0x61, 0xff, 0x62], 'a\udcffb'],
    ['half a character', [0xc3], '\udcc3'],
    ['half a character before a NUL', [0xe2, 0x82, 0, 0xac], '\udce2\udc82'],
    ['half a character before a whole one', [0xe2, 0x82, 0xc3, 0xa4], '\udce2\udc82ä'],
    ['an overlong form', [0xc0, 0x80, 0xe0, 0x80, 0x80], '\udcc0\udc80\udce0\udc80\udc80'],
    ['a surrogate', [0xed, 0xb3, 0xbf], '\udced\udcb3\udcbf'],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
  ])('%s', (_, bytes, text) => {
    expect(decodeText(bytesOf(...bytes))).toBe(text)
  })

  it('gives back the bytes, whatever they are', () => {
    const lead = fc.constantFrom(0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x80, 0xbf, 0x41)
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.oneof(lead, fc.nat(255)), { maxLength: 12 }).map((list) => Uint8Array.from(list)),
    )
    fc.assert(
      fc.property(bytes, (given) => {
        const end = given.indexOf(0)
        expect(encodeText(decodeText(given))).toEqual(end < 0 ? given : given.slice(0, end))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('bytes of text', () => {
  it.each([
    ['a NUL', 'a\0'],
    ['a lone surrogate that is no byte', '\ud800'],
    ['bytes that would be read as a character', '\udcc3\udca4'],
    ['a low surrogate of another range', '\udc7f'],
  ])('%s: none', (_, text) => {
    expect(encodeText(text)).toBeUndefined()
  })

  it('are read as the text, or there are none', () => {
    const unit = fc.integer({ min: 1, max: 0xffff }).map((code) => String.fromCharCode(code))
    const escape = fc.integer({ min: 0xdc80, max: 0xdcff }).map((code) => String.fromCharCode(code))
    const text = fc
      .array(fc.oneof(unit, escape, fc.constant('ä')), { maxLength: 8 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (given) => {
        const bytes = encodeText(given)
        if (bytes !== undefined) expect(decodeText(bytes)).toBe(given)
      }),
      { numRuns: 2000 },
    )
  })
})
