import { isTsbpfError } from '@tsbpf/base'
import { readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'

/** AT_PAGESZ of include/uapi/linux/auxvec.h. */
const atPageSize = 6n
const usual = 4096
const known = new WeakMap<Sys, number>()

/** Bytes of a page of this machine, from /proc/self/auxv; 4096 where that cannot be read. */
export function pageSize(sys: Sys): number {
  let size = known.get(sys)
  if (size === undefined) known.set(sys, (size = readPageSize(sys)))
  return size
}

function readPageSize(sys: Sys): number {
  try {
    const bytes = readFile(sys, '/proc/self/auxv', { limit: 64 * 1024 })
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 16 <= bytes.length; at += 16) {
      if (view.getBigUint64(at, true) === atPageSize) return Number(view.getBigUint64(at + 8, true))
    }
  } catch (error) {
    if (!isTsbpfError(error)) throw error
  }
  return usual
}
