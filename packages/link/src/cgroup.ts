import { attachFlags, attachTypes, linux } from '@tsbpf/uapi'
import type { AttachTypeName } from '@tsbpf/uapi'
import { errnoName, failure, progAttach, progDetach, readFile } from '@tsbpf/sys'
import type { LinkCreateFields, Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import { heldObject } from './held-object.ts'
import { maxMountBytes } from './limits.ts'
import type { AttachableProgram, Link } from './link.ts'
import { orderFields } from './order.ts'
import type { OrderOptions } from './order.ts'
import { undoUnlessGone } from './refused.ts'

/** A kernel before 5.7 does not know BPF_LINK_CREATE. */
const unknownCommand = failure('EINVAL')

const decoder = new TextDecoder()

/**
 * Where cgroup2 is mounted (/proc/self/mountinfo): `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` beside the old
 * controllers; `undefined` where it is not. Throws `SyscallError` where /proc cannot be read.
 *
 * @example
 * ```ts
 * import { cgroup2Mount } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(cgroup2Mount(nativeSys()))
 * ```
 */
export function cgroup2Mount(sys: Sys): string | undefined {
  const text = decoder.decode(readFile(sys, '/proc/self/mountinfo', { limit: maxMountBytes }))
  for (const line of text.split('\n')) {
    const [mount = '', file = ''] = line.split(' - ')
    if (!file.startsWith('cgroup2 ')) continue
    const path = mount.split(' ')[4] ?? ''
    return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
  }
  return undefined
}

function openCgroup(sys: Sys, program: AttachableProgram, target: string): number {
  let path = target
  if (!target.startsWith('/')) {
    const mount = cgroup2Mount(sys)
    if (mount === undefined) throw errors.LINK_NO_CGROUP2({ program: program.name, target })
    path = `${mount}/${target}`
  }
  const fd = sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY)
  if (fd >= 0) return fd
  throw errors.LINK_OPEN({ program: program.name, target, path, errno: errnoName(fd) })
}

/**
 * Attaches a program to a cgroup: it runs for all processes in it and below. Kernel 5.7; from 4.10 on without a link,
 * and then the attachment outlives the process.
 *
 * `attachType` is the one that the program was loaded for (`cgroup_inet4_connect`). `target` is an absolute path, or one
 * that starts at the cgroup2 mount, wherever that is: `system.slice/x.service`; `.` is the root.
 * An order needs kernel 6.17. Needs CAP_NET_ADMIN or, for devices and sysctls, CAP_BPF.
 * Throws LINK_OPEN, LINK_NO_CGROUP2, LINK_BAD_ORDER, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachCgroup } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachCgroup(nativeSys(), { fd: 7, name: 'guard' }, 'cgroup_inet4_connect', 'system.slice')
 * ```
 */
export function attachCgroup(
  sys: Sys,
  program: AttachableProgram,
  attachType: AttachTypeName,
  target: string,
  options: OrderOptions = {},
): Link {
  const order = orderFields(program, target, options)
  const cgroup = openCgroup(sys, program, target)
  const place = { target_fd: cgroup, attach_type: attachTypes.value(attachType) }
  const kept = new Set<number>()
  try {
    return createLink(sys, {
      kind: 'cgroup',
      program,
      target,
      wants: ['CAP_NET_ADMIN', 'CAP_BPF'],
      fields: { ...place, ...orderOf(order) },
      otherwise: (result) => {
        if (result !== unknownCommand || order.flags !== 0) return undefined
        progAttach(sys, {
          ...place,
          attach_bpf_fd: program.fd,
          attach_flags: attachFlags.value('allow_multi'),
        })
        kept.add(cgroup)
        let held = heldObject(sys, 'prog', program.fd)
        return {
          linkFd: undefined,
          outlivesProcess: true,
          undo: () => {
            undoUnlessGone(() => {
              progDetach(sys, { ...place, attach_bpf_fd: held.fd })
            }, ['ENOENT'])
          },
          release: () => {
            held.close()
            sys.close(cgroup)
          },
          replace: (next) => {
            progAttach(sys, {
              ...place,
              attach_bpf_fd: next.fd,
              replace_bpf_fd: held.fd,
              attach_flags: attachFlags.value('allow_multi') | attachFlags.value('replace'),
            })
            held.close()
            held = heldObject(sys, 'prog', next.fd)
          },
        }
      },
    })
  } finally {
    if (!kept.has(cgroup)) sys.close(cgroup)
  }
}

function orderOf(order: ReturnType<typeof orderFields>): LinkCreateFields {
  const { flags, relative, relativeIsId, revision } = order
  if (flags === 0 && revision === 0n) return {}
  return {
    flags,
    ...(relative === 0
      ? {}
      : relativeIsId
        ? { 'cgroup.relative_id': relative }
        : { 'cgroup.relative_fd': relative }),
    'cgroup.expected_revision': revision,
  }
}
