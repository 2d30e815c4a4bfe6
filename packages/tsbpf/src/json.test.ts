import { describe, expect, it } from 'vitest'
import { toJson, toJsonDocument } from './json.ts'

describe('toJson', () => {
  it.each([
    { value: { a: 1n << 63n }, text: '{"a":"9223372036854775808"}' },
    { value: { a: -1n }, text: '{"a":"-1"}' },
    { value: { a: undefined, b: null }, text: '{"a":null,"b":null}' },
    { value: [new Uint8Array([0, 0xff])], text: '["00ff"]' },
    { value: [Number.NaN, Infinity], text: '["NaN","Infinity"]' },
    { value: ['\u009b31m', '\u007f'], text: '["\\u009b31m","\\u007f"]' },
    { value: new Map([['__proto__', 1]]), text: '{"__proto__":1}' },
  ])('prints $text', ({ value, text }) => {
    expect(toJson(value)).toBe(text)
  })

  it('ends a document with a newline', () => {
    expect(toJsonDocument({ a: [] })).toBe('{\n  "a": []\n}\n')
  })
})
