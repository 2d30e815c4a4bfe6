import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileName } from '../test/value-shapes.ts'
import { limits } from './limits.ts'
import { nameLiteral, numberLiteral, sourceText, TooLarge } from './source-text.ts'

describe('a name as a literal', () => {
  it.each([
    ['pid', '"pid"'],
    ['', '""'],
    ['a_Z9', '"a_Z9"'],
    ['"', '"\\u0022"'],
    ['\\', '"\\u005c"'],
    ['\n', '"\\u000a"'],
    ['\u2028', '"\\u2028"'],
    ['ü', '"\\u00fc"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['\ud83d', '"\\ud83d"'],
    ['a\0', '"a\\u0000"'],
    ['__proto__', '"__proto__"'],
  ])('%j is %s', (name, literal) => {
    expect(nameLiteral(name)).toBe(literal)
  })

  it('is ASCII without a quote or a backslash of the name, and means the name', () => {
    const any = fc.oneof(hostileName, fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(any, (name) => {
        const literal = nameLiteral(name)
        expect(literal).toMatch(/^"(?:[A-Za-z0-9_]|\\u[0-9a-f]{4})*"$/)
        expect(JSON.parse(literal)).toBe(name)
      }),
    )
  })
})

it('a number is an integer or nothing', () => {
  expect([numberLiteral(0), numberLiteral(2 ** 40), numberLiteral(-1)]).toEqual([
    '0',
    '1099511627776',
    '(-1)',
  ])
  for (const number of [0.5, NaN, Infinity, 2 ** 60, '1;alert()' as unknown as number]) {
    expect(() => numberLiteral(number)).toThrow(TooLarge)
  }
})

it('code refers to each value and each routine once', () => {
  const text = sourceText()
  const [one, two] = [{}, {}]
  expect([text.refer(one), text.refer(two), text.refer(one)]).toEqual(['v0', 'v1', 'v0'])
  const routine = (): string =>
    text.routine(one, 'a', () => `return ${text.routine(two, 'b', () => 'return b')}(a)`)
  expect([routine(), routine()]).toEqual(['f0', 'f0'])
  expect(text.finish('f0')).toEqual({
    source: `"use strict"
const [v0, v1] = values
function f1(b) {
return b
}
function f0(a) {
return f1(a)
}
return f0`,
    values: [one, two],
  })
})

it('code ends at a limit', () => {
  const text = sourceText()
  for (let i = 0; i < limits.compiledExpressions; i++) text.count()
  expect(() => text.count()).toThrow(TooLarge)
})
