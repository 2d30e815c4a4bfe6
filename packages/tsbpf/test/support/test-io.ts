import type { Io } from '../../src/io.ts'

/** An {@link Io} that keeps what is written. */
export interface TestIo extends Io {
  /** What went to stdout so far. */
  readonly out: () => string
  /** What went to stderr so far. */
  readonly err: () => string
  /** Asks everything that listens to stop, as Ctrl-C does. */
  readonly interrupt: () => void
}

/** Options of {@link testIo}. */
export interface TestIoOptions {
  readonly env?: Record<string, string>
  readonly isTTY?: boolean
  /** Asks to stop as soon as anybody listens. */
  readonly impatient?: boolean
}

/** Input and output for tests: no colours and no terminal unless said otherwise. */
export function testIo(options: TestIoOptions = {}): TestIo {
  let out = ''
  let err = ''
  const listeners = new Set<() => void>()
  const isTTY = options.isTTY ?? false
  const columns = isTTY ? 100 : undefined
  return {
    stdout: { write: (text) => void (out += text), isTTY, columns },
    stderr: { write: (text) => void (err += text), isTTY, columns },
    env: options.env ?? {},
    onInterrupt(listener) {
      listeners.add(listener)
      if (options.impatient === true) setTimeout(listener, 0)
      return () => void listeners.delete(listener)
    },
    out: () => out,
    err: () => err,
    interrupt: () => {
      for (const listener of [...listeners]) listener()
    },
  }
}
