import { closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs'
import { checked, Fd } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'

/** Lends a cgroup of this test, without a mount point. */
export function withCgroup(sys: Sys, use: (fd: number, path: string) => void): void {
  using context = new Fd(sys, checked(sys.fsopen('cgroup2', 0), 'fsopen'), 'cgroup2')
  checked(sys.fsconfig(context.value, 6, undefined, undefined), 'fsconfig')
  using mount = new Fd(sys, checked(sys.fsmount(context.value, 0, 0), 'fsmount'), 'cgroup2')
  const path = `/proc/self/fd/${mount.value}/tsbpf-test-${process.pid}`
  mkdirSync(path)
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      use(fd, path)
    } finally {
      closeSync(fd)
    }
  } finally {
    rmdirSync(path)
  }
}
