import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ipv4PrefixCodec, ipv6PrefixCodec } from './index.ts'
import type { ElementCodec } from './index.ts'

function encoded(codec: ElementCodec<string>, text: string): number[] {
  const bytes = new Uint8Array(codec.size + 1)
  codec.encodeInto(text, bytes, 1)
  return [...bytes.subarray(1)]
}
function decoded(codec: ElementCodec<string>, bytes: readonly number[]): string {
  return codec.decode(new DataView(Uint8Array.from(bytes).buffer), 0)
}
const refused = expect.objectContaining({ code: 'MAP_ELEMENT_SIZE' }) as Error

describe('prefixes', () => {
  it('of IPv4 are text', () => {
    expect(encoded(ipv4PrefixCodec, '10.1.0.255/8')).toEqual([8, 0, 0, 0, 10, 1, 0, 255])
    expect(encoded(ipv4PrefixCodec, '1.2.3.4')).toEqual([32, 0, 0, 0, 1, 2, 3, 4])
    expect(decoded(ipv4PrefixCodec, [0, 0, 0, 0, 0, 0, 0, 0])).toBe('0.0.0.0/0')
    for (const wrong of ['', '1.2.3', '1.2.3.256', '1.2.3.4/33', '1.2.3.4/', '::1', '1.2.3.4/8/8', 7]) {
      expect(() => encoded(ipv4PrefixCodec, wrong as string)).toThrow(refused)
    }
  })

  it('of IPv6 are text as RFC 5952 has it', () => {
    const bytes = (text: string): number[] => encoded(ipv6PrefixCodec, text).slice(4)
    expect(bytes('2001:DB8::1')).toEqual([0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1])
    expect(bytes('::ffff:1.2.3.4').slice(10)).toEqual([255, 255, 1, 2, 3, 4])
    expect(bytes('::')).toEqual(Array(16).fill(0))
    const texts = [
      '::/0',
      '::1/128',
      '2001:db8::/32',
      '1:0:0:2::/64',
      '1:2:3:4:5:6:7:8/1',
      '1:0:2:3:4:5:6:7/1',
    ]
    for (const text of texts) expect(decoded(ipv6PrefixCodec, encoded(ipv6PrefixCodec, text))).toBe(text)
    for (const wrong of [
      ':::',
      '1::2::3',
      '1:2:3',
      '::g',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4::5:6:7:8',
      '::/129',
      '::1.2.3.999',
      ':1',
    ]) {
      expect(() => encoded(ipv6PrefixCodec, wrong), wrong).toThrow(refused)
    }
  })

  it('come back from any bytes', () => {
    const law = (codec: ElementCodec<string>, bits: number): void => {
      const address = fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 })
      fc.assert(
        fc.property(address, fc.integer({ min: 0, max: bits }), (bytes, length) => {
          const given = [length, 0, 0, 0, ...bytes]
          const text = decoded(codec, given)
          expect(encoded(codec, text)).toEqual(given)
          if (bits === 128) expect(isIPv6(text.split('/')[0]!)).toBe(true)
        }),
      )
    }
    law(ipv4PrefixCodec, 32)
    law(ipv6PrefixCodec, 128)
  })
})
