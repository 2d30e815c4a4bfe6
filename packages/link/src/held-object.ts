import { isTsbpfError } from '@tsbpf/base'
import { fdById, mapGetInfo, progGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'

/** A program or map that a detachment will have to name, whatever its owner does with it until then. */
export interface HeldObject {
  readonly fd: number
  close(): void
}

/**
 * A descriptor of our own for a program or map, by its id: without a link the kernel wants to be told what to detach.
 * Where this user may not open objects by id (CAP_SYS_ADMIN), it is the owner's, who has to keep it open.
 */
export function heldObject(sys: Sys, kind: 'prog' | 'map', fd: number): HeldObject {
  try {
    const id = kind === 'prog' ? progGetInfo(sys, fd).info.id : mapGetInfo(sys, fd).id
    const own = fdById(sys, kind, id)
    return { fd: own, close: () => void sys.close(own) }
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return { fd, close: () => undefined }
  }
}
