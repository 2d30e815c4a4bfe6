import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIpAddress, parseIpAddress } from './ip-address.ts'

const v6 = (text: string): string | undefined => {
  const bytes = parseIpAddress(text)
  return bytes && formatIpAddress(bytes)
}

describe('IP addresses', () => {
  it('are read and written', () => {
    expect(parseIpAddress('10.9.0.255')).toEqual(Uint8Array.of(10, 9, 0, 255))
    expect(v6('fc00:0:0:1:0:0:0:1')).toBe('fc00:0:0:1::1')
    expect(v6('FC00::')).toBe('fc00::')
    expect(v6('::1')).toBe('::1')
    expect(v6('::')).toBe('::')
    expect(v6('1:0:2:0:3:0:4:0')).toBe('1:0:2:0:3:0:4:0')
  })

  it('are what they were after writing and reading, and what Node takes for addresses', () => {
    const word = fc.constantFrom(0, 0, 0, 1, 0xfc00, 0xffff)
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc
        .array(word, { minLength: 8, maxLength: 8 })
        .map((words) => Uint8Array.from(words.flatMap((one) => [one >> 8, one & 0xff]))),
    )
    fc.assert(
      fc.property(address, (bytes) => {
        const text = formatIpAddress(bytes)
        expect(parseIpAddress(text)).toEqual(bytes)
        expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6)
      }),
    )
  })

  it('are nothing else', () => {
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      ':',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7::8',
      'g::',
    ])
      expect(parseIpAddress(text), text).toBeUndefined()
    const piece = fc.constantFrom(':', '::', '.', '0', '1', 'ff', '256', '/', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('')
        if (parseIpAddress(text) !== undefined) expect(isIP(text)).not.toBe(0)
      }),
    )
  })
})
