import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { maxTableRows } from './limits.ts'
import { mapTable, variableTable } from './map-table.ts'

const plain = picocolors.createColors(false)

describe('mapTable', () => {
  it('shows scalars, the largest value first', () => {
    const entries: [number, bigint][] = [
      [1, 5n],
      [2, 10n],
      [3, 9n],
    ]
    expect(mapTable(plain, entries, { sort: true })).toBe(
      '  key  value\n    2     10\n    3      9\n    1      5\n',
    )
    expect(mapTable(plain, entries, { sort: false })).toBe(
      '  key  value\n    1      5\n    2     10\n    3      9\n',
    )
  })

  it('gives members columns of their own, also where key and value share a name', () => {
    const entries: [object, object][] = [
      [{ pid: 7 }, { pid: 8, name: 'a', at: { x: 1n, y: [1, 2] }, raw: new Uint8Array([1, 255]) }],
    ]
    expect(mapTable(plain, entries, { sort: true })).toBe(
      '  pid  pid  name  at.x  at.y   raw\n    7    8  a        1  [1,2]  01 ff\n',
    )
  })

  it('cuts a long table and says so', () => {
    const entries = Array.from({ length: maxTableRows + 3 }, (_, i): [number, number] => [i, i])
    const text = mapTable(plain, entries, { sort: false })
    expect(text.split('\n')).toHaveLength(maxTableRows + 3)
    expect(text).toMatch(/ {2}… and 3 more\n$/)
  })

  it('cuts a long value and says so', () => {
    const entries: [number, unknown][] = [
      [1, new Uint8Array(800_000)],
      [2, Array.from({ length: 100_000 }, () => 0)],
      [3, 'x'.repeat(100_000)],
    ]
    const text = mapTable(plain, entries, { sort: false })
    expect(text).toContain(' 00 00 … and 799744 more bytes\n')
    expect(text).toContain('0,0 … and 199001 more characters\n')
    expect(text).toContain('xxx … and 99000 more characters\n')
    expect(text.length).toBeLessThan(5_000)
  })

  it('says that there is nothing', () => {
    expect(mapTable(plain, [], { sort: true })).toBe('  (empty)\n')
  })
})

describe('variableTable', () => {
  it('has a line for each variable', () => {
    expect(variableTable(plain, { total: 7n, text: 'abc', at: { x: 1 } })).toBe(
      '  variable  value\n  total     7\n  text      abc\n  at.x      1\n',
    )
  })

  it('shows bytes where nothing is known', () => {
    expect(variableTable(plain, new Uint8Array([1, 2]))).toBe('  variable  value\n  value     01 02\n')
  })
})
