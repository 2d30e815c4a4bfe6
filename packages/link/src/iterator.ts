import { attachTypes, linkCreateAttr } from '@tsbpf/uapi'
import { checked, iterCreate } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createLink } from './create-link.ts'
import { errors } from './errors.ts'
import { iteratorBytes } from './limits.ts'
import type { AttachableProgram, Link } from './link.ts'

/** What an iterator is to walk, where its kind takes something; at most one of them. */
export interface IteratorOptions {
  /** Descriptor of the map whose entries, storages or sockets it walks. */
  readonly mapFd?: number
  /** Descriptor of a cgroup, and the order in which the cgroups around it are walked. */
  readonly cgroup?: {
    readonly fd: number
    /** The kernel's `enum bpf_cgroup_iter_order`: 1 itself, 2 descendants before, 3 behind, 4 ancestors, 5 children. */
    readonly order: number
  }
  /** Only this thread, process, or process by pidfd (kernel 6.1). */
  readonly task?: { readonly tid: number } | { readonly pid: number } | { readonly pidFd: number }
}

/** `union bpf_iter_link_info` (include/uapi/linux/bpf.h): three numbers at most. */
function linkInfo(
  program: AttachableProgram,
  target: string,
  options: IteratorOptions,
): Uint8Array | undefined {
  const { mapFd, cgroup, task } = options
  if ([mapFd, cgroup, task].filter((one) => one !== undefined).length > 1) {
    throw errors.LINK_BAD_ORDER({ program: program.name, target, expected: 'one of mapFd, cgroup and task' })
  }
  const words = new Uint32Array(4)
  if (mapFd !== undefined) words[0] = mapFd
  else if (cgroup !== undefined) words.set([cgroup.order, cgroup.fd])
  else if (task !== undefined) {
    words.set('tid' in task ? [task.tid] : 'pid' in task ? [0, task.pid] : [0, 0, task.pidFd])
  } else return undefined
  return new Uint8Array(words.buffer)
}

/**
 * Links an iterator program to what it was loaded to walk (`task`, `bpf_map_elem`, …): the kernel then runs it for each
 * when somebody reads ({@link readIterator}). Kernel 5.8.
 *
 * The link ends with the process, unless pinned: a pinned one is a file that `cat` prints. Needs CAP_BPF and
 * CAP_PERFMON. Throws LINK_BAD_ORDER, LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachIterator, readIterator } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachIterator(nativeSys(), { fd: 7, name: 'list_tasks' }, 'task')
 * for (const chunk of readIterator(nativeSys(), link)) process.stdout.write(chunk)
 * ```
 */
export function attachIterator(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: IteratorOptions = {},
): Link {
  const info = linkInfo(program, target, options)
  return createLink(sys, {
    kind: 'iterator',
    program,
    target,
    wants: ['CAP_BPF', 'CAP_PERFMON'],
    fields: {
      attach_type: attachTypes.value('trace_iter'),
      ...(info === undefined ? {} : { iter_info_len: info.length }),
    },
    ...(info === undefined ? {} : { pointers: [{ at: linkCreateAttr.offsets.iter_info, buffer: info }] }),
  })
}

/**
 * One walk of an iterator: what its program prints, in the chunks in which the kernel gives it. Each call walks anew.
 * A chunk is the caller's own. The walk goes on as chunks are taken; leaving the loop ends it.
 * Throws `SyscallError`, LINK_DISPOSED. Make a stream of it with `Readable.from(readIterator(sys, link))`.
 *
 * @example
 * ```ts no-run
 * import { readIterator } from '@tsbpf/link'
 * const text = new TextDecoder()
 * for (const chunk of readIterator(sys, link)) console.log(text.decode(chunk, { stream: true }))
 * ```
 */
export function* readIterator(sys: Sys, link: Link): Generator<Uint8Array, void, undefined> {
  const { fd } = link
  if (fd === undefined) return
  const walk = iterCreate(sys, fd)
  try {
    for (;;) {
      const buffer = new Uint8Array(iteratorBytes)
      const count = checked(sys.read(walk, buffer), 'read', undefined, `iterator ${link.target}`)
      if (count === 0) return
      yield buffer.subarray(0, count)
    }
  } finally {
    sys.close(walk)
  }
}
