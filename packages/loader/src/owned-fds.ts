import type { Sys } from '@tsbpf/sys'

/** What a load has made so far, undone last first. */
export interface OwnedFds {
  add(fd: number): number
  /** Something else to undo, also when the process ends before the load does. */
  defer(undo: () => void): void
  /** Leaves what is left to whoever has taken it over. */
  keep(): void
  /** Closes a descriptor early. */
  close(fd: number): void
  /** Closes and undoes all that is left. */
  closeAll(): void
}

export function ownedFds(sys: Sys): OwnedFds {
  const made: (number | (() => void))[] = []
  let forget: (() => void) | undefined
  const keep = (): void => {
    made.length = 0
    forget?.()
    forget = undefined
  }
  const closeAll = (): void => {
    for (let one = made.pop(); one !== undefined; one = made.pop()) {
      if (typeof one === 'number') sys.close(one)
      else one()
    }
    keep()
  }
  return {
    add(fd) {
      made.push(fd)
      return fd
    },
    defer(undo) {
      made.push(undo)
      forget ??= sys.atEnd?.(closeAll)
    },
    keep,
    close(fd) {
      const at = made.lastIndexOf(fd)
      if (at < 0) return
      made.splice(at, 1)
      sys.close(fd)
    },
    closeAll,
  }
}
