const encoder = new TextEncoder()

/** A table of strings that is being made. */
export interface StringTableBytes {
  /** Offset of a name in the table. */
  add(name: string): number
  /** The whole table. */
  bytes(): Uint8Array
}

/** Collects names, each once, in the order of their first use. */
export function stringTableBytes(): StringTableBytes {
  const offsets = new Map([['', 0]])
  const parts: Uint8Array[] = [new Uint8Array(1)]
  let length = 1
  return {
    add(name) {
      const before = offsets.get(name)
      if (before !== undefined) return before
      const offset = length
      const bytes = encoder.encode(`${name}\0`)
      offsets.set(name, offset)
      parts.push(bytes)
      length += bytes.length
      return offset
    },
    bytes() {
      const table = new Uint8Array(length)
      let at = 0
      for (const part of parts) {
        table.set(part, at)
        at += part.length
      }
      return table
    },
  }
}
