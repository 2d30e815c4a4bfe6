import { statSync } from 'node:fs'
import { isTsbpfError } from '@tsbpf/base'
import { attachedAt } from '@tsbpf/loader'
import type { AttachedProgram, KernelLinkInfo } from '@tsbpf/loader'
import { checked, Fd, progDetach } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { attachTypes, linux } from '@tsbpf/uapi'
import type { Leftover } from './leftover.ts'
import { withProgram } from './leftover.ts'
import { below, mountsOf } from './mounts.ts'

/** Programs that are attached to cgroups without a link, wherever cgroup2 is mounted. */
export function cgroupLeftovers(
  sys: Sys,
  links: readonly KernelLinkInfo[],
  nameOf: (program: number) => string,
): readonly Leftover[] {
  const held = links.filter(({ type }) => type === 'cgroup')
  return mountsOf('cgroup2').flatMap((mount) =>
    [...below(mount, 'folders')].flatMap((path) => inCgroup(sys, path, held, nameOf)),
  )
}

function inCgroup(
  sys: Sys,
  path: string,
  links: readonly KernelLinkInfo[],
  nameOf: (program: number) => string,
): readonly Leftover[] {
  let attached: readonly AttachedProgram[]
  let id: bigint
  try {
    attached = attachedAt(sys, { cgroup: path })
    if (attached.length === 0) return []
    id = statSync(path, { bigint: true }).ino
  } catch (error) {
    // It went while it was being looked at.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    if (isTsbpfError(error, 'SYS_CALL_FAILED') && error.context['errnoName'] === 'ENOENT') return []
    throw error
  }
  // A program can be there by a link and without one.
  const held = links.filter(({ details }) => details.get('cgroup_id') === id)
  return attached.flatMap(({ attachType, progId }) => {
    const at = held.findIndex(
      (link) => link.progId === progId && link.details.get('attach_type') === attachType,
    )
    if (at >= 0) {
      held.splice(at, 1)
      return []
    }
    return [leftoverOf(sys, path, attachType, { kind: 'prog', id: progId, name: nameOf(progId) })]
  })
}

function leftoverOf(
  sys: Sys,
  path: string,
  attachType: string,
  object: { readonly kind: 'prog'; readonly id: number; readonly name: string },
): Leftover {
  return {
    ...{
      name: `cgroup:${path}:${attachType}:${object.id}`,
      kind: 'cgroup',
      place: path,
      how: attachType,
      object,
    },
    remove: () => {
      const opened = sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY)
      using cgroup = new Fd(sys, checked(opened, 'openat', undefined, path), path)
      withProgram(sys, object.id, (fd) => {
        const type = attachTypes.value(attachType as 'cgroup_device')
        progDetach(sys, { target_fd: cgroup.value, attach_bpf_fd: fd, attach_type: type })
      })
    },
  }
}
