import { readFileSync } from 'node:fs'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'

/** Names of the objects beside this file, without `.bpf.o`. */
export type ObjectName =
  | 'arena'
  | 'congestion'
  | 'events'
  | 'externs'
  | 'modular'
  | 'nested'
  | 'pinned'
  | 'poisoned'
  | 'prints'
  | 'rejected'
  | 'replaced'
  | 'replacement'
  | 'ring'
  | 'throws'
  | 'tracepoints'
  | 'tracer'
  | 'tracer.eb'

function objectPath(name: ObjectName): string {
  return new URL(`objects/${name}.bpf.o`, import.meta.url).pathname
}

export function objectBytes(name: ObjectName): Uint8Array {
  return new Uint8Array(readFileSync(objectPath(name)))
}

export function objectSpec(name: ObjectName): ObjectSpec {
  return parseObject(objectBytes(name), { name: `${name}.bpf.o` })
}
