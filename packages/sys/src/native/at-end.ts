/** Signals that end a process which does not listen, and that a user or a service manager sends to end it. */
const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const

/** Marks the listeners of this module, also those of another copy of it in this process. */
const mark = Symbol.for('@tsbpf/sys atEnd')

const undos = new Set<() => void>()

/** Undoes all, last first. An error of one is told and keeps none of the others from being undone. */
function undoAll(): void {
  for (const undo of [...undos].reverse()) {
    try {
      undo()
    } catch (error) {
      process.stderr.write(`warning: left behind by tsbpf: ${(error as Error).message}\n`)
    }
  }
  undos.clear()
  listen('removeListener')
}

const onExit = Object.assign(undoAll, { [mark]: true })

const onSignal = Object.assign(
  (signal: NodeJS.Signals): void => {
    // Whoever else listens decides how the process ends; `exit` comes then.
    if (process.listeners(signal).some((listener) => !(mark in listener))) return
    undoAll()
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  },
  { [mark]: true },
)

/** First among the listeners of a signal: one that hears it once is no longer there for those behind it. */
function listen(how: 'prependListener' | 'removeListener'): void {
  for (const signal of signals) process[how](signal, onSignal)
  process[how === 'removeListener' ? how : 'on']('exit', onExit)
}

/** {@link Sys.atEnd} of Node, Bun and Deno. Nothing is listened for while there is nothing to undo. */
export function atEnd(undo: () => void): () => void {
  // One that is given twice is two.
  const own = (): void => {
    undo()
  }
  if (undos.size === 0) listen('prependListener')
  undos.add(own)
  return () => {
    if (undos.delete(own) && undos.size === 0) listen('removeListener')
  }
}
