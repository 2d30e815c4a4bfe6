/**
 * A string section that grows: each string is in it once. Strings are compared as bytes, so that names that are not
 * UTF-8 stay what they are. Offsets count from the base's first string, as those of a split BTF do.
 */
export interface StringTable {
  /** One more than the last offset. */
  readonly end: number
  /** Offset of the NUL-terminated string that starts at `from`, added where it is new. The empty string is at 0. */
  add(source: Uint8Array, from: number): number
  /** Offset of the NUL-terminated string that starts at `from`, or -1. */
  find(source: Uint8Array, from: number): number
  /** Offset of a text without NUL, added where it is new. */
  addText(text: string): number
  /** The own strings; aliases the table. */
  bytes(): Uint8Array
}

const encoder = new TextEncoder()
/** Another in each process, so that no file can be made whose strings all meet in one slot. */
const seed = Math.floor(Math.random() * 0x1_0000_0000)

/**
 * A table with the strings of `initial`, which stay where they are; of equal ones the first is found. `base` has the
 * strings of the BTF that this one is split from: they are found before own ones.
 */
export function stringTable(initial: Uint8Array = new Uint8Array(1), base?: StringTable): StringTable {
  const first = base?.end ?? 0
  let bytes = initial
  let length = initial.length
  let owned = false
  let count = 0
  /** Offset plus one of each string, by its hash; 0 is free. */
  let slots = new Uint32Array(256)
  let hashes = new Uint32Array(256)
  const texts = new Map<string, number>()

  const hashOf = (source: Uint8Array, from: number): number => {
    let hash = 0x811c9dc5 ^ seed
    for (let i = from; i < source.length; i++) {
      const byte = source[i] ?? 0
      if (byte === 0) break
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    return (hash ^ (hash >>> 15)) >>> 0
  }
  const equal = (at: number, source: Uint8Array, from: number): boolean => {
    for (let i = 0; ; i++) {
      const byte = source[from + i] ?? 0
      if (byte !== bytes[at + i]) return false
      if (byte === 0) return true
    }
  }
  /** Slot of an equal string, or the free one where it belongs. */
  const slotOf = (source: Uint8Array, from: number, hash: number): number => {
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slots[slot] ?? 0
      if (at === 0 || (hashes[slot] === hash && equal(at - 1, source, from))) return slot
    }
  }
  const put = (slot: number, hash: number, at: number): void => {
    slots[slot] = at + 1
    hashes[slot] = hash
    if (++count * 2 <= slots.length) return
    const before = slots
    const beforeHashes = hashes
    slots = new Uint32Array(before.length * 2)
    hashes = new Uint32Array(before.length * 2)
    const mask = slots.length - 1
    before.forEach((offset, index) => {
      if (offset === 0) return
      const moved = beforeHashes[index] ?? 0
      let free = moved & mask
      while (slots[free] !== 0) free = (free + 1) & mask
      slots[free] = offset
      hashes[free] = moved
    })
  }
  const append = (source: Uint8Array, from: number): number => {
    const end = source.indexOf(0, from)
    const size = (end < 0 ? source.length : end) - from
    if (!owned || length + size + 1 > bytes.length) {
      const larger = new Uint8Array(Math.max(1024, (length + size + 1) * 2))
      larger.set(bytes.subarray(0, length))
      bytes = larger
      owned = true
    }
    const at = length
    bytes.set(source.subarray(from, from + size), at)
    bytes[at + size] = 0
    length += size + 1
    return at
  }

  for (let at = 0; at < initial.length;) {
    const hash = hashOf(initial, at)
    const slot = slotOf(initial, at, hash)
    if (slots[slot] === 0) put(slot, hash, at)
    const end = initial.indexOf(0, at)
    if (end < 0) break
    at = end + 1
  }

  const table: StringTable = {
    get end() {
      return first + length
    },
    find(source, from) {
      if ((source[from] ?? 0) === 0) return 0
      const inBase = base?.find(source, from) ?? -1
      if (inBase >= 0) return inBase
      const at = slots[slotOf(source, from, hashOf(source, from))] ?? 0
      return at === 0 ? -1 : first + at - 1
    },
    add(source, from) {
      if ((source[from] ?? 0) === 0) return 0
      const inBase = base?.find(source, from) ?? -1
      if (inBase >= 0) return inBase
      const hash = hashOf(source, from)
      const slot = slotOf(source, from, hash)
      const known = slots[slot] ?? 0
      if (known !== 0) return first + known - 1
      const at = append(source, from)
      put(slot, hash, at)
      return first + at
    },
    addText(text) {
      let offset = texts.get(text)
      if (offset === undefined) {
        offset = table.add(encoder.encode(text), 0)
        texts.set(text, offset)
      }
      return offset
    },
    bytes: () => bytes.subarray(0, length),
  }
  return table
}
