import { textUntilNul } from '@tsbpf/base'

/** Names behind each other in one buffer, each with a NUL at its end. */
export interface NamePool {
  /** Copies a name and gives its offset. A name that ends the one before it (`f` after `__pfx_f`) takes no room. */
  add(source: Uint8Array, from: number, to: number): number
  /** The buffer, cut to what is used. */
  finish(): Uint8Array
}

/** Starts an empty pool. */
export function namePool(): NamePool {
  let bytes = new Uint8Array(65_536)
  let length = 0
  let last = 0
  const endsLast = (source: Uint8Array, from: number, size: number): boolean => {
    const at = length - 1 - size
    if (at < last) return false
    for (let i = 0; i < size; i++) if (bytes[at + i] !== source[from + i]) return false
    return true
  }
  return {
    add(source, from, to) {
      const size = to - from
      if (length > 0 && endsLast(source, from, size)) return length - 1 - size
      if (length + size + 1 > bytes.length) {
        const larger = new Uint8Array(Math.max(bytes.length * 2, length + size + 1))
        larger.set(bytes.subarray(0, length))
        bytes = larger
      }
      for (let i = 0; i < size; i++) bytes[length + i] = source[from + i] ?? 0
      last = length
      length += size + 1
      bytes[length - 1] = 0
      return last
    },
    finish: () => bytes.slice(0, length),
  }
}

/** The name at an offset of a finished pool. */
export function nameAt(pool: Uint8Array, offset: number): string {
  return textUntilNul(pool.subarray(offset, pool.indexOf(0, offset)))
}
