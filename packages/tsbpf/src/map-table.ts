import { hexBytes } from '@tsbpf/base'
import { maxCellBytes, maxCellText, maxTableRows } from './limits.ts'
import type { Paint } from './paint.ts'
import { toJson } from './json.ts'
import { textTable } from './text-table.ts'

/** Entries of a map, as its BTF says. */
export type MapEntries = readonly (readonly [key: unknown, value: unknown])[]

/**
 * Entries as a table: a column for a scalar, one for each member of a struct (`value.first.second` is titled
 * `first.second`). Scalars are sorted, the largest first; other entries stay in the kernel's order.
 */
export function mapTable(paint: Paint, entries: MapEntries, options: { readonly sort: boolean }): string {
  if (entries.length === 0) return '  (empty)\n'
  const sorted = options.sort ? [...entries].sort(([, a], [, b]) => compare(b, a)) : entries
  const rows = sorted.slice(0, maxTableRows).map(([key, value]) => {
    const cells = new Map<string, unknown>()
    flatten(cells, 'key', '', key)
    flatten(cells, 'value', '', value)
    return cells
  })
  const titles = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  const columns = titles.map((title) => ({
    title: titleOf(title),
    align: rows.every((row) => isNumber(row.get(title))) ? ('right' as const) : ('left' as const),
  }))
  const table = textTable(
    paint,
    columns,
    rows.map((row) => titles.map((title) => showValue(row.get(title)))),
  )
  const left = sorted.length - rows.length
  return left === 0 ? table : `${table}  … and ${left} more\n`
}

/** Global variables of a data section by name; an unknown layout is shown as its bytes. */
export function variableTable(paint: Paint, section: unknown): string {
  const cells = new Map<string, unknown>()
  flatten(cells, 'value', '', section)
  const rows = [...cells].map(([title, value]) => [titleOf(title), showValue(value)])
  return textTable(paint, [{ title: 'variable' }, { title: 'value' }], rows)
}

/** Members under their path; keys and values are kept apart, since members of both may have one name. */
function flatten(cells: Map<string, unknown>, side: 'key' | 'value', path: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    cells.set(`${side}:${path === '' ? side : path}`, value)
    return
  }
  for (const [name, member] of Object.entries(value)) {
    flatten(cells, side, path === '' ? name : `${path}.${name}`, member)
  }
}

function titleOf(cellName: string): string {
  return cellName.slice(cellName.indexOf(':') + 1)
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function compare(a: unknown, b: unknown): number {
  if (!isNumber(a) || !isNumber(b)) return 0
  return a < b ? -1 : a > b ? 1 : 0
}

/** A value in one line: its bytes or characters up to a limit, JSON for what has members. */
export function showValue(value: unknown): string {
  if (value === undefined) return '-'
  if (value instanceof Uint8Array) {
    const left = value.length - maxCellBytes
    return `${hexBytes(value.subarray(0, maxCellBytes))}${left > 0 ? ` … and ${left} more bytes` : ''}`
  }
  const text =
    typeof value === 'string'
      ? value
      : isNumber(value) || typeof value === 'boolean'
        ? String(value)
        : toJson(value)
  const left = text.length - maxCellText
  return left > 0 ? `${text.slice(0, maxCellText)} … and ${left} more characters` : text
}
