import { isTsbpfError } from '@tsbpf/base'
import { Fd, fdById, lackingCapabilities, nextId } from '@tsbpf/sys'
import type { ObjectKind, Sys } from '@tsbpf/sys'
import { errors } from '../errors.ts'

/** Makes of a refusal to list or open by id an error that says which capability is missing. */
export function listingError(sys: Sys, what: string, cause: unknown): unknown {
  if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) return cause
  const errno = String(cause.context['errnoName'])
  if (errno !== 'EPERM' && errno !== 'EACCES') return cause
  return errors.LOADER_LISTING(
    { what, errno, missing: lackingCapabilities(sys, ['CAP_SYS_ADMIN']) },
    { cause },
  )
}

/** Reads one object by its id; `undefined` where there is none any more. Throws LOADER_LISTING. */
export function readById<T>(
  sys: Sys,
  kind: ObjectKind,
  id: number,
  read: (sys: Sys, fd: number) => T,
): T | undefined {
  const what = `${kind} id ${id}`
  try {
    using fd = new Fd(sys, fdById(sys, kind, id), what)
    return read(sys, fd.value)
  } catch (error) {
    if (isTsbpfError(error, 'SYS_CALL_FAILED') && error.context['errnoName'] === 'ENOENT') return undefined
    throw listingError(sys, what, error)
  }
}

/** Reads all objects of a kind in the system, by rising id; those that go meanwhile are left out. Throws LOADER_LISTING. */
export function* readAll<T>(
  sys: Sys,
  kind: ObjectKind,
  read: (sys: Sys, fd: number) => T,
): Generator<T, void, void> {
  for (let id = 0; ;) {
    let next: number | undefined
    try {
      next = nextId(sys, kind, id)
    } catch (error) {
      throw listingError(sys, `the ids of all objects of the kind ${kind}`, error)
    }
    if (next === undefined) return
    id = next
    const found = readById(sys, kind, id, read)
    if (found !== undefined) yield found
  }
}
