/** One damaged copy of an input. */
export interface Mutation {
  /** What was done, for the name of a failing test: `flip bit 3 of byte 17`. */
  readonly what: string
  readonly bytes: Uint8Array
}

/** A small generator of repeatable numbers (xorshift32): the same seed gives the same mutations for ever. */
export function repeatable(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return below <= 0 ? 0 : (state >>> 0) % below
  }
}

const interesting = [0, 1, 0x7f, 0x80, 0xff]

function flip(bytes: Uint8Array, next: (below: number) => number): string {
  const at = next(bytes.length)
  const bit = next(8)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  return `flip bit ${bit} of byte ${at}`
}

function overwrite(bytes: Uint8Array, next: (below: number) => number): string {
  const at = next(bytes.length)
  const size = 1 + next(8)
  const value = interesting[next(interesting.length)] ?? 0
  bytes.fill(value, at, at + size)
  return `fill ${size} bytes from ${at} with ${value}`
}

function splice(bytes: Uint8Array, next: (below: number) => number): string {
  const from = next(bytes.length)
  const size = 1 + next(Math.min(64, bytes.length))
  const to = next(bytes.length)
  bytes.copyWithin(to, from, from + size)
  return `copy ${size} bytes from ${from} to ${to}`
}

/**
 * `count` damaged copies of `bytes`, the same for the same seed: cut short, single bits flipped, runs overwritten by
 * telling values, pieces copied over others. Made one at a time; each copy belongs to the caller.
 */
export function* mutations(bytes: Uint8Array, seed: number, count: number): Generator<Mutation> {
  const next = repeatable(seed)
  for (let i = 0; i < count; i++) {
    if (bytes.length === 0) {
      yield { what: 'nothing', bytes: new Uint8Array(0) }
      continue
    }
    const kind = next(4)
    if (kind === 0) {
      const length = next(bytes.length)
      yield { what: `cut to ${length} bytes`, bytes: bytes.slice(0, length) }
      continue
    }
    const copy = new Uint8Array(bytes)
    const change = kind === 1 ? flip : kind === 2 ? overwrite : splice
    const what = [change(copy, next)]
    while (next(4) === 0) what.push(flip(copy, next))
    yield { what: what.join(', '), bytes: copy }
  }
}
