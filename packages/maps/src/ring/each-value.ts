/** Values as they come, for one `for await`; `return` ends it. */
export interface RingValues<T> extends AsyncIterableIterator<T, void, void> {
  /** Ends it: what was read but not asked for is dropped. */
  return(): Promise<IteratorResult<T, void>>
}

/** The values of batches one by one. A value that is there already costs one promise, not a turn of each generator. */
export class EachValue<T> implements RingValues<T> {
  readonly #batches: AsyncGenerator<readonly T[], void, void>
  #batch: readonly T[] = []
  #next = 0
  /** The last call that had to wait: calls are answered in their order. */
  #waiting: Promise<unknown> | undefined

  constructor(batches: AsyncGenerator<readonly T[], void, void>) {
    this.#batches = batches
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#waiting !== undefined) return this.#wait()
    if (this.#next === this.#batch.length) return this.#wait()
    return Promise.resolve({ value: this.#batch[this.#next++] as T, done: false })
  }

  async return(): Promise<IteratorResult<T, void>> {
    this.#batch = []
    this.#next = 0
    await this.#batches.return()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wait(): Promise<IteratorResult<T, void>> {
    const answer = (this.#waiting ?? Promise.resolve()).then(() => this.#answer())
    const ended = (): void => {
      if (this.#waiting === settled) this.#waiting = undefined
    }
    const settled: Promise<unknown> = answer.then(ended, ended)
    this.#waiting = settled
    return answer
  }

  async #answer(): Promise<IteratorResult<T, void>> {
    while (this.#next === this.#batch.length) {
      const batch = await this.#batches.next()
      if (batch.done === true) return { value: undefined, done: true }
      this.#batch = batch.value
      this.#next = 0
    }
    return { value: this.#batch[this.#next++] as T, done: false }
  }
}
