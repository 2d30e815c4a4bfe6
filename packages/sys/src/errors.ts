import { defineErrors, UnsupportedError } from '@tsbpf/base'

/** Its files are root's and may be read by the group, of which a mount option tells. */
const mountForGroup =
  'have it mounted for a group of this user: mount -t tracefs -o gid=GROUP,mode=750 tracefs /sys/kernel/tracing'

/** Errors of this package that are not answers of the kernel; those are `SyscallError`. */
export const errors = defineErrors({
  SYS_FD_DISPOSED: {
    message: (c: { name: string }) => `${c.name} is used after it was closed`,
    hint: 'keep the handle open until its last use, or open it again',
  },
  SYS_POINTERS: {
    message: (c: { reason: string; limit: number }) => `pointers of a call: ${c.reason} (limit ${c.limit})`,
    hint: 'describe each pointer field once, by its offset in the structure that holds it',
  },
  SYS_TRACEFS: {
    message: (c: { tried: readonly string[]; denied: string | undefined; errno: string }) =>
      `tracefs cannot be opened (${c.tried.join('; ')})`,
    hint: (c: { denied: string | undefined; errno: string }) =>
      c.denied !== undefined
        ? `run as root, or let a group of this user read it: mount -o remount,gid=GROUP,mode=750 ${c.denied}`
        : c.errno === 'EPERM'
          ? `run as root, or ${mountForGroup}`
          : c.errno === 'ENODEV'
            ? 'this kernel is built without CONFIG_TRACING'
            : mountForGroup,
  },
  SYS_FILE_TOO_LARGE: {
    message: (c: { path: string; limit: number }) => `${c.path} is larger than ${c.limit} bytes`,
    hint: 'pass a larger limit if the file is meant to be that large',
  },
})

/** The door cannot be opened on this system. */
export function unsupportedPlatform(platform: string, arch: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(
    'SYS_UNSUPPORTED_PLATFORM',
    cause === undefined
      ? `no native addon for ${platform}-${arch}: there is one for linux-x64 and linux-arm64`
      : `the native addon for ${platform}-${arch} could not be loaded: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
    {
      feature: 'system calls',
      evidence: 'platform',
      context: { platform, arch },
      hint:
        cause === undefined
          ? 'parse, build and relocate work here; load programs on Linux (x64 or arm64)'
          : 'install @tsbpf/sys again with its prebuilds folder, and in a runtime with Node-API version 8',
      cause,
    },
  )
}

/** This runtime does not let native code lend memory to JavaScript. */
export function noExternalBuffers(cause: unknown): UnsupportedError {
  return new UnsupportedError(
    'SYS_NO_EXTERNAL_BUFFERS',
    'this runtime forbids an ArrayBuffer over mapped memory (a sandboxed V8, as in Electron)',
    {
      feature: 'mmap',
      evidence: 'probed',
      hint: 'read the map with system calls instead of mapping it, or run in Node, Bun or Deno',
      cause,
    },
  )
}
