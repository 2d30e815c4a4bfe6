import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { printable, textTable } from './text-table.ts'

const plain = picocolors.createColors(false)

describe('textTable', () => {
  it('aligns columns and leaves no space at the end of a line', () => {
    const text = textTable(
      plain,
      [{ title: 'name' }, { title: 'size', align: 'right' }, { title: 'notes' }],
      [
        ['counts', 12, ''],
        ['a', 3456, 'x'],
      ],
    )
    expect(text).toBe('  name    size  notes\n  counts    12\n  a       3456  x\n')
  })

  it('lets no control character through', () => {
    expect(textTable(plain, [{ title: 'name' }], [['a\u001b[2Jb\nc']])).toBe('  name\n  a\\x1b[2Jb\\x0ac\n')
  })
})

describe('printable', () => {
  it('keeps letters of all languages', () => {
    expect(printable('größe 大 é')).toBe('größe 大 é')
  })
})
