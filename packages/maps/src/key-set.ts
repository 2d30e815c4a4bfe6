/** A set of keys as bytes, for many: it keeps two buffers and makes no object for a key. */
export class KeySet {
  readonly #size: number
  /** One more than the number of a key, in the order in which they were added; 0 is free. */
  #slots = new Int32Array(1024)
  #keys: Uint8Array
  #count = 0
  /** Other keys fall together in each set: what programs write may be chosen to. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32)

  /** `size` is the bytes of a key. */
  constructor(size: number) {
    this.#size = size
    this.#keys = new Uint8Array(size * (this.#slots.length / 2))
  }

  /** Adds the key at `at` of `bytes`; false where it is there already. */
  add(bytes: Uint8Array, at: number): boolean {
    const size = this.#size
    const keys = this.#keys
    const slot = this.#find(bytes, at)
    if (this.#slots[slot] !== 0) return false
    for (let i = 0, to = this.#count * size; i < size; i++) keys[to + i] = bytes[at + i] ?? 0
    this.#count++
    this.#slots[slot] = this.#count
    if (this.#count * 2 === this.#slots.length) this.#grow()
    return true
  }

  /** The slot of a key, or the free one where it belongs. */
  #find(bytes: Uint8Array, at: number): number {
    const size = this.#size
    const keys = this.#keys
    const slots = this.#slots
    let hash = 0x811c9dc5 ^ this.#seed
    for (let i = 0; i < size; i++) hash = Math.imul(hash ^ (bytes[at + i] ?? 0), 0x01000193)
    const mask = slots.length - 1
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot] ?? 0
      if (number === 0) return slot
      const from = (number - 1) * size
      let i = 0
      while (i < size && keys[from + i] === bytes[at + i]) i++
      if (i === size) return slot
    }
  }

  #grow(): void {
    const old = this.#keys
    this.#slots = new Int32Array(this.#slots.length * 2)
    this.#keys = new Uint8Array(old.length * 2)
    this.#keys.set(old)
    for (let i = 0; i < this.#count; i++) this.#slots[this.#find(old, i * this.#size)] = i + 1
  }
}
