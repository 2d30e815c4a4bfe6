import { Fd, fdById } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'

/** Something that is still there when the process that made it is gone, and that no link of a process holds. */
export interface Leftover {
  /** What `--remove` takes: it says all that tells this one from others, ids included. */
  readonly name: string
  readonly kind: 'xdp' | 'tc' | 'clsact' | 'tcx' | 'netkit' | 'route' | 'cgroup' | 'struct_ops' | 'pin'
  /** Device, cgroup, prefix of a route, struct_ops map, or path. */
  readonly place: string
  /** Mode, direction, attach type, or hooks; `undefined` where there is nothing to say. */
  readonly how: string | undefined
  /** What is attached or pinned; `undefined` for an empty qdisc. */
  readonly object: LeftoverObject | undefined
  /** Removes it, if it still is the one that was found. Throws `TsbpfError`. */
  remove(): void
}

/** An object of the kernel. */
export interface LeftoverObject {
  readonly kind: 'prog' | 'map' | 'link' | 'object'
  /** `undefined` where the kernel does not tell. */
  readonly id: number | undefined
  readonly name: string
}

/** Does something with a program while a descriptor of it is open. */
export function withProgram(sys: Sys, id: number, use: (fd: number) => void): void {
  using fd = new Fd(sys, fdById(sys, 'prog', id), `prog ${id}`)
  use(fd.value)
}
