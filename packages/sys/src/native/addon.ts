import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { unsupportedPlatform } from '../errors.ts'

/** What the addon exports; `calls` describes it row by row. */
export interface Addon {
  bpf(cmd: number, attr: Uint8Array, ...pairs: (number | Uint8Array)[]): number
  bpfNested(cmd: number, attr: Uint8Array, slots: Float64Array, buffers: readonly Uint8Array[]): number
  bpfAsync(
    cmd: number,
    attr: Uint8Array,
    slots: Float64Array,
    buffers: readonly Uint8Array[],
  ): Promise<number>
  prepare(id: number, cmd: number, attrAt: number, attrSize: number, places: Float64Array): number
  prepareMany(
    id: number,
    cmd: number,
    attrAt: number,
    attrSize: number,
    places: Float64Array,
    capacity: number,
    resultsAt: number,
  ): number
  run(handle: number): number
  runMany(handle: number, count: number, stop: number): number
  perfEventOpen(
    pid: number,
    cpu: number,
    groupFd: number,
    flags: number,
    attr: Uint8Array,
    slots: Float64Array,
    buffers: readonly Uint8Array[],
  ): number
  ioctl(fd: number, request: number, argument: number): number
  mmap(
    id: number,
    fd: number,
    length: number,
    protection: number,
    flags: number,
    offset: number,
  ): ArrayBuffer | number
  unmap(id: number): number
  openat(dirFd: number, path: string, flags: number, mode: number): number
  unlinkat(dirFd: number, path: string, flags: number): number
  fileSize(fd: number): number
  read(fd: number, buffer: Uint8Array): number
  pread(fd: number, buffer: Uint8Array, offset: number): number
  write(fd: number, buffer: Uint8Array): number
  close(fd: number): number
  mkdirat(dirFd: number, path: string, mode: number): number
  socket(domain: number, type: number, protocol: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number
  sendto(fd: number, buffer: Uint8Array, flags: number): number
  recvfrom(fd: number, buffer: Uint8Array, flags: number): number
  pidfdOpen(pid: number, flags: number): number
  fsopen(type: string, flags: number): number
  fsconfig(fd: number, cmd: number, key: string | undefined, value: string | undefined): number
  fsmount(fd: number, flags: number, attributes: number): number
  epollCreate(): number
  epollControl(epoll: number, operation: number, fd: number, events: number, data: number): number
  epollReady(epoll: number, ready: Uint8Array): number
  geteuid(): number
  watch(fd: number, ready: () => void, uv: number): number
  unwatch(id: number): number
  hasUvPoll(): boolean
}

const prebuilt = new Set(['linux-x64', 'linux-arm64'])

/**
 * Loads the addon that came with this package for this system. Nothing is compiled or downloaded.
 * `TSBPF_NATIVE` names another file: for the tests of this repository, which run a copy with AddressSanitizer.
 */
export function loadAddon(): Addon {
  const host = `${process.platform}-${process.arch}`
  const override = process.env['TSBPF_NATIVE']
  const require = createRequire(import.meta.url)
  if (override !== undefined && override !== '') return require(override) as Addon
  if (!prebuilt.has(host)) throw unsupportedPlatform(process.platform, process.arch)
  try {
    // The same relative place from src/native and from dist/native.
    return require(fileURLToPath(new URL(`../../prebuilds/${host}/tsbpf.node`, import.meta.url))) as Addon
  } catch (cause) {
    throw unsupportedPlatform(process.platform, process.arch, cause)
  }
}
