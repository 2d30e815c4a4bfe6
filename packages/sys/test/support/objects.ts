import { readdirSync, readFileSync } from 'node:fs'
import { objectIds } from '../../src/index.ts'
import type { ObjectKind, Sys } from '../../src/index.ts'

const kinds: readonly ObjectKind[] = ['prog', 'map', 'link']

/** Ids of all programs, maps and links of the system: `prog 12`. */
export function bpfObjects(sys: Sys): ReadonlySet<string> {
  return new Set(kinds.flatMap((kind) => [...objectIds(sys, kind)].map((id) => `${kind} ${id}`)))
}

/** Text of a file that may be gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Whether a process other than this one has a descriptor of a BPF object: what is new may then be its. */
function othersUseBpf(): boolean {
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    let fds: string[] = []
    try {
      fds = readdirSync(`/proc/${pid}/fdinfo`)
    } catch {
      continue
    }
    if (fds.some((fd) => /^(?:prog|map|link)_id:/m.test(textOf(`/proc/${pid}/fdinfo/${fd}`)))) return true
  }
  return false
}

/**
 * Waits until no object is there that was not there `before`, and returns those that stay. The kernel frees a program
 * some time after its last descriptor is closed. While another process uses BPF, its objects are no leak of ours.
 */
export async function objectsLeft(sys: Sys, before: ReadonlySet<string>): Promise<string[]> {
  let left: string[] = []
  for (let i = 0; i < 200; i++) {
    left = [...bpfObjects(sys)].filter((object) => !before.has(object))
    if (left.length === 0 || (i > 40 && !othersUseBpf())) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return left
}
