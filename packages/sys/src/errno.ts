import { errnos } from '@tsbpf/uapi'

/** Kept inside the kernel by convention, but bpf(2) lets it out (kernel include/linux/errno.h). */
const ENOTSUPP = 524

/** The error's name for an errno or the negated errno that a call returned: `EPERM` for 1 and -1. */
export function errnoName(errno: number): string {
  const number = Math.abs(errno)
  return number === ENOTSUPP ? 'ENOTSUPP' : errnos.format(number)
}

/** The negated errno that a call returns: `failure('ENOENT')` is -2. */
export function failure(name: Parameters<typeof errnos.value>[0]): number {
  return -errnos.value(name)
}
