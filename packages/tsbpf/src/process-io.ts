import { errors } from './errors.ts'
import type { Io, Output } from './io.ts'
import { reportError } from './report-error.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The {@link Io} of this process. Importing this module changes nothing; calling it listens for closed pipes. */
export function processIo(): Io {
  const listeners = new Set<() => void>()
  const closed = new Set<NodeJS.WriteStream>()

  const interrupt = (): void => {
    for (const signal of signals) process.removeListener(signal, interrupt)
    for (const listener of [...listeners]) listener()
  }
  const onError = (stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): void => {
    if (closed.has(stream)) return
    closed.add(stream)
    // When the reader has gone (`| head`), there is nothing to say to anybody.
    if (error.code !== 'EPIPE') {
      process.once('exit', () => (process.exitCode = 1))
      if (stream === process.stdout)
        reportError(io, errors.CLI_OUTPUT({ errno: error.code ?? error.message }))
    }
    // What is attached must still be detached.
    if (listeners.size > 0) interrupt()
    else process.exit()
  }
  const output = (stream: NodeJS.WriteStream): Output => {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      onError(stream, error)
    })
    return {
      write(text) {
        if (!closed.has(stream)) stream.write(text)
      },
      isTTY: stream.isTTY,
      get columns() {
        return stream.isTTY ? stream.columns : undefined
      },
    }
  }

  const io: Io = {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
    onInterrupt(listener) {
      if (listeners.size === 0) for (const signal of signals) process.on(signal, interrupt)
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) for (const signal of signals) process.removeListener(signal, interrupt)
      }
    },
  }
  return io
}
