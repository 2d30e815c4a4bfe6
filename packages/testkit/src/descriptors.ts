import { readdirSync, readlinkSync } from 'node:fs'

/** What each open descriptor of this process names, by number. */
export type Descriptors = ReadonlyMap<number, string>

/** Snapshot of /proc/self/fd; the descriptor that the listing itself needs is not in it. */
export function descriptors(): Descriptors {
  const open = new Map<number, string>()
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      open.set(Number(name), readlinkSync(`/proc/self/fd/${name}`))
    } catch {
      // Closed since the listing: the listing's own.
    }
  }
  return open
}

/**
 * Throws if `after` has a descriptor that `before` did not have, or that names something else now.
 *
 * @example
 * ```ts
 * import { descriptors, expectNoLeak } from '@tsbpf/testkit'
 * const before = descriptors()
 * // ... the test ...
 * expectNoLeak(before, descriptors())
 * ```
 */
export function expectNoLeak(before: Descriptors, after: Descriptors): void {
  const leaked: string[] = []
  for (const [fd, target] of after) {
    if (before.get(fd) !== target) leaked.push(`${fd} -> ${target}`)
  }
  if (leaked.length > 0) throw new Error(`descriptors left open: ${leaked.join(', ')}`)
}
