import { isTsbpfError } from '@tsbpf/base'
import { noExternalBuffers } from '../errors.ts'
import { flatten } from '../flatten.ts'
import type { AttrPointer, Sys, Watch } from '../sys.ts'
import { type Addon, loadAddon } from './addon.ts'
import { atEnd } from './at-end.ts'
import { type AddonMapping, prepareOver } from './prepare.ts'

export { calls } from './calls.ts'
export type { NativeCall, ParameterType } from './calls.ts'

/** Options of {@link nativeSys}. */
export interface NativeSysOptions {
  /**
   * How descriptors are watched: `uv` by the event loop of Node, `epoll` by one thread of the addon. Unless given, `uv`
   * on Node and `epoll` on runtimes that have no libuv, such as Bun and Deno.
   */
  readonly readiness?: 'uv' | 'epoll'
}

/**
 * Bun and Deno export symbols of libuv that only abort, so that looking for them is not enough.
 */
function readinessHere(addon: Addon): 'uv' | 'epoll' {
  const versions = process.versions as Readonly<Record<string, string | undefined>>
  const foreign = versions['bun'] !== undefined || versions['deno'] !== undefined
  return !foreign && addon.hasUvPoll() ? 'uv' : 'epoll'
}

function bpf(
  addon: Addon,
  cmd: number,
  attr: Uint8Array,
  pointers: readonly AttrPointer[] | undefined,
): number {
  if (pointers === undefined || pointers.length === 0) return addon.bpf(cmd, attr)
  // Map elements have one or two pointers, and are what is called often.
  const first = pointers[0]
  if (first !== undefined && pointers.length <= 2) {
    const { at, buffer, pointers: inner } = first
    if (inner === undefined) {
      if (pointers.length === 1) return addon.bpf(cmd, attr, at, buffer)
      const second = pointers[1]
      if (second !== undefined) {
        const { at: at2, buffer: buffer2, pointers: inner2 } = second
        if (inner2 === undefined) return addon.bpf(cmd, attr, at, buffer, at2, buffer2)
      }
    }
  }
  const { slots, buffers } = flatten(pointers)
  return addon.bpfNested(cmd, attr, slots, buffers)
}

let nextMapping = 0

function mmap(
  addon: Addon,
  fd: number,
  length: number,
  protection: number,
  flags: number,
  offset: number,
): AddonMapping | number {
  const id = ++nextMapping
  let memory: ArrayBuffer | number
  try {
    memory = addon.mmap(id, fd, length, protection, flags, offset)
  } catch (cause) {
    const code = (cause as { readonly code?: unknown } | undefined)?.code
    throw code === 'SYS_NO_EXTERNAL_BUFFERS' ? noExternalBuffers(cause) : cause
  }
  if (typeof memory === 'number') return memory
  return {
    id,
    memory,
    unmap: () => {
      addon.unmap(id)
    },
  }
}

function watch(addon: Addon, fd: number, ready: () => void, uv: boolean): Watch | number {
  const id = addon.watch(fd, ready, uv ? 1 : 0)
  if (id < 0) return id
  return {
    stop: () => {
      addon.unwatch(id)
    },
  }
}

function makeSys(addon: Addon, readiness: 'uv' | 'epoll'): Sys {
  return {
    name: 'native',
    bpf: (cmd, attr, pointers) => bpf(addon, cmd, attr, pointers),
    bpfAsync: async (cmd, attr, pointers) => {
      const { slots, buffers } = flatten(pointers)
      return await addon.bpfAsync(cmd, attr, slots, buffers)
    },
    prepareBpf: (sizes, calls) => {
      try {
        return prepareOver(addon, (...given) => mmap(addon, ...given), sizes, calls)
      } catch (error) {
        if (isTsbpfError(error, 'SYS_NO_EXTERNAL_BUFFERS')) return undefined
        throw error
      }
    },
    perfEventOpen: (attr, pid, cpu, groupFd, flags, pointers) => {
      const { slots, buffers } = flatten(pointers)
      return addon.perfEventOpen(pid, cpu, groupFd, flags, attr, slots, buffers)
    },
    ioctl: (fd, request, argument) => addon.ioctl(fd, request, argument),
    mmap: (fd, length, protection, flags, offset) => mmap(addon, fd, length, protection, flags, offset),
    openat: (dirFd, path, flags, mode = 0) => addon.openat(dirFd, path, flags, mode),
    unlinkat: (dirFd, path, flags) => addon.unlinkat(dirFd, path, flags),
    fileSize: (fd) => addon.fileSize(fd),
    read: (fd, buffer) => addon.read(fd, buffer),
    pread: (fd, buffer, offset) => addon.pread(fd, buffer, offset),
    write: (fd, buffer) => addon.write(fd, buffer),
    close: (fd) => addon.close(fd),
    mkdirat: (dirFd, path, mode) => addon.mkdirat(dirFd, path, mode),
    socket: (domain, type, protocol) => addon.socket(domain, type, protocol),
    setsockopt: (fd, level, option, value) => addon.setsockopt(fd, level, option, value),
    sendto: (fd, buffer, flags) => addon.sendto(fd, buffer, flags),
    recvfrom: (fd, buffer, flags) => addon.recvfrom(fd, buffer, flags),
    pidfdOpen: (pid, flags) => addon.pidfdOpen(pid, flags),
    fsopen: (type, flags) => addon.fsopen(type, flags),
    fsconfig: (fd, cmd, key, value) => addon.fsconfig(fd, cmd, key, value),
    fsmount: (fd, flags, attributes) => addon.fsmount(fd, flags, attributes),
    epollCreate: () => addon.epollCreate(),
    epollControl: (epoll, operation, fd, events, data) =>
      addon.epollControl(epoll, operation, fd, events, data),
    epollReady: (epoll, ready) => addon.epollReady(epoll, ready),
    geteuid: () => addon.geteuid(),
    watch: (fd, ready) => watch(addon, fd, ready, readiness === 'uv'),
    atEnd,
  }
}

let addon: Addon | undefined
const doors = new Map<'uv' | 'epoll', Sys>()

/**
 * The door to this machine's kernel. The first call in an environment (main thread or Worker) loads the addon; later
 * ones return the same door. Linux on x64 and arm64, glibc or musl, in Node, Bun and Deno.
 *
 * Throws `UnsupportedError` with the code `SYS_UNSUPPORTED_PLATFORM` where there is no addon for this system.
 * Importing this module works everywhere.
 *
 * @example
 * ```ts
 * import { nativeSys } from '@tsbpf/sys/native'
 * const sys = nativeSys()
 * const fd = sys.openat(-100, '/proc/self/status', 0)
 * console.log(sys.read(fd, new Uint8Array(64)) > 0) // true
 * sys.close(fd)
 * ```
 */
export function nativeSys(options: NativeSysOptions = {}): Sys {
  addon ??= loadAddon()
  const readiness = options.readiness ?? readinessHere(addon)
  let sys = doors.get(readiness)
  if (sys === undefined) doors.set(readiness, (sys = makeSys(addon, readiness)))
  return sys
}
