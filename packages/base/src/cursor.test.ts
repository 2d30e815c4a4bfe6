import { describe, expect, it } from 'vitest'
import { Cursor, isTsbpfError, TsbpfError } from './index.ts'

const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9])

describe('Cursor', () => {
  it('reads both byte orders', () => {
    const little = new Cursor(bytes, { littleEndian: true, path: 'x' })
    const big = new Cursor(bytes, { littleEndian: false, path: 'x' })
    expect([little.u8('a'), little.u16('b'), little.u32('c')]).toEqual([1, 0x0302, 0x07060504])
    expect([big.u8('a'), big.u16('b'), big.u32('c')]).toEqual([1, 0x0203, 0x04050607])
    expect(new Cursor(bytes, { littleEndian: true, path: 'x' }).u64('d')).toBe(0x0807060504030201n)
  })

  it('reads signed numbers', () => {
    const cursor = new Cursor(new Uint8Array([0xfe, 0xff, 0xff, 0xff]), { littleEndian: true, path: 'x' })
    expect(cursor.i32('n')).toBe(-2)
  })

  it('says which field is cut short, where in the whole input, and what to do', () => {
    const outer = new Cursor(bytes, { littleEndian: true, path: 'file', base: 100 })
    outer.take(4, 'skip')
    const inner = outer.child(3, 'part')
    inner.u16('ok')
    const error = catchError(() => inner.u32('bad'))
    expect(error.code).toBe('BASE_TRUNCATED')
    expect(error.context).toEqual({
      path: 'file.part.bad',
      offset: 106,
      expected: '4 bytes',
      actual: '1 bytes',
    })
    expect(error.hint).toMatch(/cut short/)
  })

  it('lets a package make its own error', () => {
    const cursor = new Cursor(bytes, {
      littleEndian: true,
      path: '',
      fail: (failure) => new TsbpfError('DEMO_CUT', failure.path),
    })
    expect(catchError(() => cursor.slice(10, 'body')).message).toBe('body')
  })

  it.each([-1, Number.NaN, 1e300])('refuses to step by %s', (size) => {
    const cursor = new Cursor(bytes, { littleEndian: true, path: 'x' })
    expect(isTsbpfError(catchError(() => cursor.take(size, 'n')))).toBe(true)
    expect(cursor.position).toBe(0)
  })

  it('returns views, not copies', () => {
    const cursor = new Cursor(bytes, { littleEndian: true, path: 'x' })
    expect(cursor.slice(2, 'v').buffer).toBe(bytes.buffer)
  })

  it('refuses leftovers at the end', () => {
    const cursor = new Cursor(bytes, { littleEndian: true, path: 'x' })
    cursor.take(8, 'most')
    expect(catchError(() => cursor.end()).context['actual']).toBe('1 bytes left')
    cursor.take(1, 'last')
    cursor.end()
  })
})

function catchError(run: () => unknown): TsbpfError {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new TsbpfError('TEST', 'nothing was thrown')
}
