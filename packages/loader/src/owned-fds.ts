import type { Sys } from '@tsbpf/sys'

/** Descriptors that belong together, closed last first. */
export interface OwnedFds {
  add(fd: number): number
  /** Closes one of them early. */
  close(fd: number): void
  /** Hands one over: somebody else closes it. */
  release(fd: number): void
  /** Closes all that are left. */
  closeAll(): void
}

export function ownedFds(sys: Sys): OwnedFds {
  const fds: number[] = []
  const forget = (fd: number): boolean => {
    const at = fds.lastIndexOf(fd)
    if (at >= 0) fds.splice(at, 1)
    return at >= 0
  }
  return {
    add(fd) {
      fds.push(fd)
      return fd
    },
    close(fd) {
      if (forget(fd)) sys.close(fd)
    },
    release(fd) {
      forget(fd)
    },
    closeAll() {
      for (let fd = fds.pop(); fd !== undefined; fd = fds.pop()) sys.close(fd)
    },
  }
}
