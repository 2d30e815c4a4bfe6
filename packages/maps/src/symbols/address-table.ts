/** Rows by 64-bit address, kept as columns: no object for each. */
export interface AddressTable {
  readonly count: number
  /** Upper and lower 32 bits of each address; rising, each address once. */
  readonly high: Uint32Array
  readonly low: Uint32Array
  /** What the row says: a number of the caller's, such as the offset of a name. */
  readonly value: Uint32Array
  /** Another one, such as the number of a module. */
  readonly tag: Uint16Array
}

/** Collects rows in any order; of rows with the same address the first stays. */
export interface AddressTableBuilder {
  readonly count: number
  /** False where the address is that of the row before, which stays in its place. */
  isNew(high: number, low: number): boolean
  add(high: number, low: number, value: number, tag: number): void
  finish(): AddressTable
}

const grown = <T extends Uint32Array | Uint16Array>(column: T, make: (length: number) => T): T => {
  const larger = make(column.length * 2)
  larger.set(column)
  return larger
}

/** Starts an empty table. */
export function addressTable(): AddressTableBuilder {
  const words = (length: number): Uint32Array => new Uint32Array(length)
  let high = words(4096)
  let low = words(4096)
  let value = words(4096)
  let tag = new Uint16Array(4096)
  let count = 0
  let rising = true
  const compareLast = (h: number, l: number): number => {
    const lastHigh = high[count - 1] ?? 0
    return h === lastHigh ? l - (low[count - 1] ?? 0) : h - lastHigh
  }
  return {
    get count() {
      return count
    },
    isNew: (h, l) => count === 0 || compareLast(h, l) !== 0,
    add(h, l, v, t) {
      if (count === high.length) {
        high = grown(high, words)
        low = grown(low, words)
        value = grown(value, words)
        tag = grown(tag, (length) => new Uint16Array(length))
      }
      if (count > 0 && compareLast(h, l) <= 0) rising = false
      high[count] = h
      low[count] = l
      value[count] = v
      tag[count] = t
      count++
    },
    finish() {
      const cut = { count, high: high.slice(0, count), low: low.slice(0, count) }
      const rows = { ...cut, value: value.slice(0, count), tag: tag.slice(0, count) }
      return rising ? rows : inOrder(rows)
    },
  }
}

/** Sorted by address, the first row of each address alone. */
function inOrder(table: AddressTable): AddressTable {
  const order = sortedOrder(table)
  const { high, low, value, tag } = table
  let kept = 0
  for (const row of order) {
    const before = order[kept - 1] ?? 0
    if (kept > 0 && high[row] === high[before] && low[row] === low[before]) continue
    order[kept++] = row
  }
  const pick = order.subarray(0, kept)
  const word = (column: Uint32Array): Uint32Array => Uint32Array.from(pick, (row) => column[row] ?? 0)
  return {
    count: kept,
    high: word(high),
    low: word(low),
    value: word(value),
    tag: Uint16Array.from(pick, (row) => tag[row] ?? 0),
  }
}

/** Order of the rows by address, by counting 16 bits at a time: linear, and rows of one address stay in order. */
function sortedOrder({ count, high, low }: AddressTable): Uint32Array {
  let order = Uint32Array.from({ length: count }, (_, row) => row)
  let next = new Uint32Array(count)
  const starts = new Uint32Array(65_537)
  for (const [column, shift] of [
    [low, 0],
    [low, 16],
    [high, 0],
    [high, 16],
  ] as const) {
    starts.fill(0)
    const digit = (row: number): number => ((column[row] ?? 0) >>> shift) & 0xffff
    for (let row = 0; row < count; row++) starts[digit(row) + 1] = (starts[digit(row) + 1] ?? 0) + 1
    if (starts[digit(0) + 1] === count) continue
    for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0)
    for (const row of order) {
      const at = starts[digit(row)] ?? 0
      next[at] = row
      starts[digit(row)] = at + 1
    }
    ;[order, next] = [next, order]
  }
  return order
}

/** The last row whose address is not above this one; -1 where all are. */
export function rowAt({ count, high, low }: AddressTable, wantedHigh: number, wantedLow: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >>> 1
    const h = high[middle] ?? 0
    if (h < wantedHigh || (h === wantedHigh && (low[middle] ?? 0) <= wantedLow)) from = middle + 1
    else to = middle
  }
  return from - 1
}
