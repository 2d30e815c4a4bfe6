import { errors } from './errors.ts'
import { maxPointerDepth, maxPointers } from './limits.ts'
import type { AttrPointer } from './sys.ts'

/** Pointers of one call in arrays: parents come before their children. */
export interface FlatPointers {
  /** For each pointer `at`, plus 2**32 times one more than the index of the pointer whose buffer holds the field. */
  readonly slots: Float64Array
  readonly buffers: Uint8Array[]
}

const none: FlatPointers = { slots: new Float64Array(0), buffers: [] }

function wrong(reason: string, limit: number): never {
  throw errors.SYS_POINTERS({ reason, limit })
}

/**
 * Walks nested pointers into arrays, reading each property once: getters run here and nowhere later.
 * Throws `SYS_POINTERS` for more than 2**21 pointers, more than four levels, or an offset that is none.
 */
export function flatten(pointers: readonly AttrPointer[] | undefined): FlatPointers {
  if (pointers === undefined || pointers.length === 0) return none
  const slots: number[] = []
  const buffers: Uint8Array[] = []
  const lists = [{ list: pointers, parent: 0, depth: 1 }]
  for (const { list, parent, depth } of lists) {
    if (depth > maxPointerDepth) wrong('nested too deep', maxPointerDepth)
    for (const { at, buffer, pointers: inner } of list) {
      if (slots.length >= maxPointers) wrong('too many', maxPointers)
      if (!(Number.isInteger(at) && at >= 0 && at < 2 ** 32)) wrong(`an offset is ${at}`, 2 ** 32 - 1)
      slots.push(parent * 2 ** 32 + at)
      buffers.push(buffer)
      if (inner !== undefined && inner.length > 0)
        lists.push({ list: inner, parent: slots.length, depth: depth + 1 })
    }
  }
  return { slots: Float64Array.from(slots), buffers }
}
