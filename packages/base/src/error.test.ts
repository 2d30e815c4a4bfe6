import { describe, expect, it } from 'vitest'
import { defineErrors, isTsbpfError, TsbpfError, UnsupportedError } from './index.ts'

const errors = defineErrors({
  DEMO_PLAIN: { message: (c: { name: string }) => `no ${c.name}`, hint: 'look again' },
  DEMO_COUNTED: {
    message: (c: { count: number }) => `${c.count} too many`,
    hint: (c: { count: number }) => (c.count > 1 ? 'take some away' : undefined),
  },
})

describe('TsbpfError', () => {
  it('carries code, context, hint and cause', () => {
    const cause = new RangeError('why')
    const error = errors.DEMO_PLAIN({ name: 'map' }, { cause })
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.code, error.message, error.hint]).toEqual([
      'TsbpfError',
      'DEMO_PLAIN',
      'no map',
      'look again',
    ])
    expect(error.context).toEqual({ name: 'map' })
    expect(error.cause).toBe(cause)
  })

  it('computes hints from the context, and lets the caller give a better one', () => {
    expect(errors.DEMO_COUNTED({ count: 2 }).hint).toBe('take some away')
    expect(errors.DEMO_COUNTED({ count: 1 }).hint).toBeUndefined()
    expect(errors.DEMO_COUNTED({ count: 1 }, { hint: 'other' }).hint).toBe('other')
  })

  it('is recognised by brand, also from another copy of the package', () => {
    const other = Object.assign(new Error('x'), { code: 'ELF_X' })
    Object.defineProperty(other, Symbol.for('@tsbpf/error'), { value: true })
    expect(isTsbpfError(other)).toBe(true)
    expect(isTsbpfError(other, 'ELF_X')).toBe(true)
    expect(isTsbpfError(other, 'ELF_Y')).toBe(false)
    expect([new Error('x'), null, undefined, 'x', { code: 'ELF_X' }].some((e) => isTsbpfError(e))).toBe(false)
  })

  it('keeps its brand out of what is printed and enumerated', () => {
    const shown = Object.entries(Object.getOwnPropertyDescriptors(new TsbpfError('A_B', 'x')))
    expect(shown.filter(([, descriptor]) => descriptor.enumerable).map(([name]) => name)).not.toContain(
      'brand',
    )
    expect(JSON.stringify(new TsbpfError('A_B', 'x'))).toBe('{"name":"TsbpfError","code":"A_B","context":{}}')
  })

  it('has a subclass for what a system cannot do', () => {
    const error = new UnsupportedError('SYS_X', 'no', { feature: 'bpf(2)', evidence: 'platform' })
    expect([error.name, error.feature, error.evidence, isTsbpfError(error)]).toEqual([
      'UnsupportedError',
      'bpf(2)',
      'platform',
      true,
    ])
  })
})
