/** Where a command writes. */
export interface Output {
  write(text: string): void
  /** True for a terminal, where a table may be drawn anew in its place. */
  readonly isTTY: boolean
  /** Width in characters; `undefined` where it is not a terminal. */
  readonly columns: number | undefined
}

/** Everything a command has to do with the outside besides files and the kernel, so that tests need no process. */
export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Calls `listener` once when the user (SIGINT, SIGTERM, SIGHUP) or a closed pipe asks to stop; until somebody
   * listens, these end the process at once. Returns a function that stops listening.
   */
  onInterrupt(listener: () => void): () => void
}
