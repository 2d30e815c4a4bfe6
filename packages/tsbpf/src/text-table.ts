import Table from 'cli-table3'
import type { Paint } from './paint.ts'

/** A column of a {@link textTable}. */
export interface Column {
  readonly title: string
  /** Left unless given. */
  readonly align?: 'left' | 'right'
}

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Rows under titles, as wide as their contents, without borders; every line ends with a newline. */
export function textTable(
  paint: Paint,
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
  indent = '  ',
): string {
  const table = new Table({
    head: columns.map((column) => paint.dim(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  for (const row of rows) table.push(row.map((cell) => printable(String(cell))))
  return table
    .toString()
    .split('\n')
    .map((line) => `${indent}${line}`.trimEnd() + '\n')
    .join('')
}

/** Names come from a file that may be hostile: control characters must not reach the terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (c) => {
    return `\\x${(c.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`
  })
}

/** As {@link printable}, for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
