import { setTimeout as sleep } from 'node:timers/promises'
import { isTsbpfError } from '@tsbpf/base'
import type { LoadedObject } from '@tsbpf/loader'
import { objectIds } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

/** Milliseconds between two looks, and until nobody waits any longer. */
const pause = 5
const patience = 1000

/**
 * Programs, maps and links that are in the kernel, as `prog 12`; empty where this user may not list them
 * (CAP_SYS_ADMIN).
 */
export function kernelObjects(): ReadonlySet<string> {
  const found = new Set<string>()
  try {
    const sys = nativeSys()
    for (const kind of ['prog', 'map', 'link'] as const) {
      for (const id of objectIds(sys, kind)) found.add(`${kind} ${id}`)
    }
  } catch (error) {
    if (!isTsbpfError(error)) throw error
  }
  return found
}

/** What a loaded object consists of, as {@link kernelObjects} names it. */
export function objectsOf(object: LoadedObject): readonly string[] {
  return [
    ...object.programs.map((program) => `prog ${program.info().id}`),
    ...object.maps.map((map) => `map ${map.info().id}`),
  ]
}

/**
 * Waits until the kernel has freed what nobody holds any more: it does so some milliseconds after the last descriptor
 * was closed, and who looks before would think that something is left.
 */
export async function untilGone(objects: Iterable<string>): Promise<void> {
  const gone = [...objects]
  const end = performance.now() + patience
  while (gone.length > 0 && performance.now() < end) {
    const left = kernelObjects()
    if (!gone.some((object) => left.has(object))) return
    await sleep(pause)
  }
}
