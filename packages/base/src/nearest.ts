import { distance } from 'fastest-levenshtein'

/** Names beyond this many are cut from a message. */
const listed = 20

/** The name nearest to `name`, or `undefined` where none is near enough to be meant. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of names) {
    const d = distance(name, candidate)
    if (d < bestDistance) {
      best = candidate
      bestDistance = d
    }
  }
  return best
}

/**
 * The hint of an error about a wrong name: the nearest name, or the list of names.
 *
 * @example
 * ```ts
 * import { suggest } from '@tsbpf/base'
 * console.log(suggest('cuonts', ['counts', 'events'])) // did you mean counts? known: counts, events
 * ```
 */
export function suggest(name: string, names: Iterable<string>): string {
  const all = [...names]
  if (all.length === 0) return 'there is none'
  const near = nearest(name, all)
  const known =
    all.slice(0, listed).join(', ') + (all.length > listed ? `, and ${all.length - listed} more` : '')
  return near === undefined ? `known: ${known}` : `did you mean ${near}? known: ${known}`
}
