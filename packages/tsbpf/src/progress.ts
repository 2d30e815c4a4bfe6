import type { Io } from './io.ts'

/** A line that says how far a command is. */
export interface Progress {
  /** Puts a text in the place of the last. */
  show(text: string): void
  /** Takes the line away. */
  clear(): void
}

/** A line on stderr, drawn anew in its place; nothing where stderr is no terminal. */
export function progressLine(io: Io): Progress {
  const { stderr } = io
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined }
  let shown = false
  const clear = (): void => {
    if (shown) stderr.write('\r\u001b[K')
    shown = false
  }
  return {
    show(text) {
      clear()
      stderr.write(text.slice(0, (stderr.columns ?? 80) - 1))
      shown = true
    },
    clear,
  }
}
