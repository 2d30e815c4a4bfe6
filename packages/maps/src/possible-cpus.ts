import { isTsbpfError } from '@tsbpf/base'
import { readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errnoOf } from './errno-of.ts'
import { errors } from './errors.ts'
import { maxPossibleCpus } from './limits.ts'

const path = '/sys/devices/system/cpu/possible'
const maxFileBytes = 64 * 1024

/** Number of processors in a list of ranges such as `0-3,8`; `undefined` for anything else. */
export function countCpus(text: string): number | undefined {
  let count = 0
  for (const range of text.trim().split(',')) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range)
    if (match === null) return undefined
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (last < first || last >= maxPossibleCpus) return undefined
    count += last - first + 1
  }
  return count <= maxPossibleCpus ? count : undefined
}

/**
 * Number of processors that this kernel makes room for in per-CPU maps, from `/sys/devices/system/cpu/possible`;
 * processors that are offline count too. Throws MAP_CPUS.
 */
export function possibleCpus(sys: Sys): number {
  const text = readText(sys)
  const count = countCpus(text)
  if (count === undefined) throw errors.MAP_CPUS({ path, actual: JSON.stringify(text.slice(0, 60)) })
  return count
}

function readText(sys: Sys): string {
  try {
    return new TextDecoder().decode(readFile(sys, path, { limit: maxFileBytes }))
  } catch (cause) {
    if (!isTsbpfError(cause)) throw cause
    throw errors.MAP_CPUS({ path, actual: errnoOf(cause) }, { cause })
  }
}
