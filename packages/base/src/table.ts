/** One row of a table of named numbers. */
export interface NamedNumber {
  readonly name: string
  readonly value: number
}

/** A table of named numbers with its two lookups; see {@link defineTable}. */
export interface Table<Row extends NamedNumber> {
  /** What the numbers are, for unknown ones: `map_type(57)`. */
  readonly label: string
  readonly rows: readonly Row[]
  /** The row of a number, `undefined` for one that this table does not know. */
  byValue(value: number): Row | undefined
  /** The row of a name, `undefined` for one that this table does not know. */
  byName(name: string): Row | undefined
  /** The number of a name that is known at compile time. */
  value(name: Row['name']): number
  /** The name of a number; an unknown number prints as `map_type(57)` and never throws. */
  format(value: number): string
}

/**
 * Turns rows into a table: the type of the names, both lookups and the printer derive from the rows.
 * Where two rows share a number, the first one names it.
 *
 * @example
 * ```ts
 * import { defineTable } from '@tsbpf/base'
 * const colours = defineTable('colour', [{ name: 'red', value: 1 }, { name: 'blue', value: 2 }])
 * console.log(colours.format(2), colours.format(9)) // blue colour(9)
 * ```
 */
export function defineTable<const Row extends NamedNumber>(label: string, rows: readonly Row[]): Table<Row> {
  // Most programs ask few of the tables they import, so the lookups are made when first asked.
  let names: Map<string, Row> | undefined
  let values: Map<number, Row> | undefined
  const byName = (name: string): Row | undefined => {
    names ??= new Map(rows.map((row) => [row.name, row]))
    return names.get(name)
  }
  const byValue = (value: number): Row | undefined => {
    values ??= new Map(rows.toReversed().map((row) => [row.value, row]))
    return values.get(value)
  }
  return {
    label,
    rows,
    byValue,
    byName,
    value(name) {
      const row = byName(name)
      if (row === undefined) throw new RangeError(`${label} has no ${name}`)
      return row.value
    },
    format: (value) => byValue(value)?.name ?? `${label}(${value})`,
  }
}
