import { isTsbpfError } from '@tsbpf/base'
import { readFile, tracefs } from '@tsbpf/sys'
import type { Fd, Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { maxEventListBytes, maxIdBytes } from './limits.ts'

/** A tracepoint whose names have been checked: they end up in a path. */
export interface TracepointName {
  /** Name of the program, for errors. */
  readonly program: string
  /** The target as it was given, for errors. */
  readonly target: string
  readonly category: string
  readonly name: string
}

const decoder = new TextDecoder()

/** Reads the id of a tracepoint from tracefs. Throws LINK_UNKNOWN_TRACEPOINT, LINK_TRACEFS and `SYS_TRACEFS`. */
export function tracepointId(sys: Sys, tracepoint: TracepointName): number {
  const { program, target, category, name } = tracepoint
  using dir = tracefs(sys)
  const path = `events/${category}/${name}/id`
  let text: string
  try {
    text = decoder.decode(readFile(sys, path, { dirFd: dir.value, limit: maxIdBytes }))
  } catch (cause) {
    if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
    const errno = String(cause.context['errnoName'])
    if (errno !== 'ENOENT') throw errors.LINK_TRACEFS({ program, target, path, errno }, { cause })
    throw errors.LINK_UNKNOWN_TRACEPOINT(
      { program, target, known: knownEvents(sys, dir, category) },
      { cause },
    )
  }
  if (!/^\d{1,9}\n?$/.test(text)) {
    throw errors.LINK_TRACEFS({
      program,
      target,
      path,
      errno: `expected a number, got ${JSON.stringify(text)}`,
    })
  }
  return Number(text)
}

/** The events of a category as `category/name`, or those of all where there is no such category. */
function knownEvents(sys: Sys, dir: Fd, category: string): readonly string[] {
  try {
    const list = decoder.decode(
      readFile(sys, 'available_events', { dirFd: dir.value, limit: maxEventListBytes }),
    )
    const all = list.split('\n').filter((line) => line !== '')
    const near = all.filter((line) => line.startsWith(`${category}:`))
    return (near.length > 0 ? near : all).map((line) => line.replace(':', '/'))
  } catch {
    // The list only improves a hint.
    return []
  }
}
