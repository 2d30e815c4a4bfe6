import { describe, expect, it } from 'vitest'
import { hexBytes, nulTerminated, textUntilNul } from './text.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('text until NUL', () => {
  it.each([
    ['name\0rest', 'name'],
    ['all of it', 'all of it'],
    ['\0', ''],
    ['', ''],
    ['é\u{1f600}\0', 'é\u{1f600}'],
    // A byte order mark is a character of a name like any other, or names would not come back.
    ['\ufeffname\0', '\ufeffname'],
    ['\ufeff', '\ufeff'],
  ])('of %j is %j', (whole, text) => {
    expect(textUntilNul(bytes(whole))).toBe(text)
    expect(textUntilNul(nulTerminated(text))).toBe(text)
  })

  it('has U+FFFD for what is no UTF-8', () => {
    expect(textUntilNul(Uint8Array.of(0x61, 0xff, 0x62, 0))).toBe('a\ufffdb')
  })
})

it('bytes are printed in two digits each', () => {
  expect(hexBytes(Uint8Array.of(0, 10, 255))).toBe('00 0a ff')
  expect(hexBytes(new Uint8Array())).toBe('')
})
