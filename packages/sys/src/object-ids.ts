import { objIdAttr } from '@tsbpf/uapi'
import { command, demand, littleEndian } from './command.ts'
import { failure } from './errno.ts'
import { SyscallError } from './syscall-error.ts'
import type { Sys } from './sys.ts'

/** Kinds of objects that the kernel numbers. */
export type ObjectKind = 'prog' | 'map' | 'btf' | 'link'

/** The next id after `id` of that kind, `undefined` after the last one (BPF_*_GET_NEXT_ID). Throws `SyscallError`. */
export function nextId(sys: Sys, kind: ObjectKind, id: number): number | undefined {
  const name = `${kind}_get_next_id` as const
  const { result, attr } = command(sys, name, objIdAttr, { start_id: id })
  if (result === failure('ENOENT')) return undefined
  if (result < 0) throw new SyscallError(result, { call: 'bpf', command: name })
  return attr.getUint32(objIdAttr.offsets.next_id, littleEndian)
}

/**
 * Ids of all objects of one kind in the system, in rising order; objects may come and go meanwhile.
 *
 * @example
 * ```ts
 * import { objectIds } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log([...objectIds(nativeSys(), 'prog')].length)
 * ```
 */
export function* objectIds(sys: Sys, kind: ObjectKind): Generator<number, void, void> {
  for (let id = nextId(sys, kind, 0); id !== undefined; id = nextId(sys, kind, id)) yield id
}

/** A descriptor for the object of that id, which the caller closes (BPF_*_GET_FD_BY_ID). Throws `SyscallError`. */
export function fdById(sys: Sys, kind: ObjectKind, id: number, openFlags = 0): number {
  // `start_id`, `prog_id`, `map_id`, … are one field.
  const fields = { start_id: id, open_flags: openFlags }
  return demand(sys, `${kind}_get_fd_by_id`, objIdAttr, fields, undefined, `${kind} id ${id}`).result
}
