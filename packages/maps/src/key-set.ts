/** Sets start with room for no more keys than this. */
const firstKeys = 2 ** 16

/**
 * A set of keys as bytes, for many: it keeps one buffer and makes no object for a key. A slot is a word that is 1 where
 * it is taken, and the key's words behind it, so that a look at it costs one line of the processor's cache.
 */
export class KeySet {
  readonly #size: number
  /** Words of a slot. */
  readonly #step: number
  #slots: Int32Array
  #mask: number
  #count = 0
  /** The words of the key that is looked for; those of its last word that it does not have are zero. */
  readonly #key: Int32Array
  readonly #keyBytes: Uint8Array
  /** Other keys fall together in each set: what programs write may be chosen to. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32)

  /** `size` is the bytes of a key; of `expected` keys it may get more or fewer. */
  constructor(size: number, expected = 0) {
    this.#size = size
    this.#step = 1 + Math.ceil(size / 4)
    const slots = 2 ** Math.ceil(Math.log2(Math.min(Math.max(expected, 256), firstKeys) * 2 + 1))
    this.#mask = slots - 1
    this.#slots = new Int32Array(slots * this.#step)
    this.#key = new Int32Array(this.#step - 1)
    this.#keyBytes = new Uint8Array(this.#key.buffer)
  }

  /** Adds the key at `at` of `bytes`; false where it is there already. */
  add(bytes: Uint8Array, at: number): boolean {
    const keyBytes = this.#keyBytes
    for (let i = 0, size = this.#size; i < size; i++) keyBytes[i] = bytes[at + i] ?? 0
    if (!this.#put(this.#key, 0)) return false
    this.#count++
    if (this.#count * 2 > this.#mask) this.#grow()
    return true
  }

  #put(words: Int32Array, from: number): boolean {
    const slots = this.#slots
    const mask = this.#mask
    const step = this.#step
    let hash = 0x811c9dc5 ^ this.#seed
    for (let i = 0; i < step - 1; i++) {
      hash = Math.imul(hash ^ (words[from + i] ?? 0), 0x85ebca6b)
      hash ^= hash >>> 15
    }
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slot * step
      if (slots[place] === 0) {
        slots[place] = 1
        for (let i = 0; i < step - 1; i++) slots[place + 1 + i] = words[from + i] ?? 0
        return true
      }
      let i = 0
      while (i < step - 1 && slots[place + 1 + i] === words[from + i]) i++
      if (i === step - 1) return false
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#mask = this.#mask * 2 + 1
    this.#slots = new Int32Array(old.length * 2)
    for (let place = 0; place < old.length; place += this.#step) {
      if (old[place] !== 0) this.#put(old, place + 1)
    }
  }
}
