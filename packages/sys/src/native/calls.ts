/** A type of a parameter of the addon's calls; the C side checks each value against it. */
export type ParameterType =
  | 'i32'
  | 'u32'
  /** Integer from 0 to 2**53 - 1. */
  | 'size'
  /** Uint8Array. */
  | 'bytes'
  /** Float64Array. */
  | 'doubles'
  /** String without NUL. */
  | 'text'
  /** The same, or undefined for a null pointer. */
  | 'text?'
  /** Function without parameters. */
  | 'function'
  /** Two parameters: Float64Array of places and the array of buffers, see `flatten`. */
  | 'pointers'
  /** Any number of pairs of place (u32) and buffer (bytes). */
  | 'pairs'

/** One row of {@link calls}. */
export interface NativeCall {
  readonly name: string
  /** The system call that it makes, as the kernel names it; undefined for a call that makes none by itself. */
  readonly syscall: string | undefined
  readonly parameters: Readonly<Record<string, ParameterType>>
  /** `fd` is a descriptor that the door then owns; each kind may also be a negated errno. */
  readonly returns: 'number' | 'fd' | 'fd by command' | 'promise' | 'mapping' | 'boolean'
}

/**
 * Every call of the addon: what JavaScript may pass, and the one system call that comes of it. A test compares this
 * table with the C source. No row takes the number of a system call or an address.
 */
export const calls: readonly NativeCall[] = [
  {
    name: 'bpf',
    syscall: 'bpf',
    parameters: { cmd: 'u32', attr: 'bytes', pointers: 'pairs' },
    returns: 'fd by command',
  },
  {
    name: 'bpfNested',
    syscall: 'bpf',
    parameters: { cmd: 'u32', attr: 'bytes', pointers: 'pointers' },
    returns: 'fd by command',
  },
  {
    name: 'bpfAsync',
    syscall: 'bpf',
    parameters: { cmd: 'u32', attr: 'bytes', pointers: 'pointers' },
    returns: 'promise',
  },
  {
    name: 'prepare',
    syscall: undefined,
    parameters: { id: 'size', cmd: 'u32', attrAt: 'u32', attrSize: 'u32', places: 'doubles' },
    returns: 'number',
  },
  {
    name: 'prepareMany',
    syscall: undefined,
    parameters: {
      id: 'size',
      cmd: 'u32',
      attrAt: 'u32',
      attrSize: 'u32',
      places: 'doubles',
      capacity: 'u32',
      resultsAt: 'u32',
    },
    returns: 'number',
  },
  { name: 'run', syscall: 'bpf', parameters: { handle: 'size' }, returns: 'fd by command' },
  {
    name: 'runMany',
    syscall: 'bpf',
    parameters: { handle: 'size', count: 'u32', stop: 'u32' },
    returns: 'number',
  },
  {
    name: 'perfEventOpen',
    syscall: 'perf_event_open',
    parameters: { pid: 'i32', cpu: 'i32', groupFd: 'i32', flags: 'u32', attr: 'bytes', pointers: 'pointers' },
    returns: 'fd',
  },
  {
    name: 'ioctl',
    syscall: 'ioctl',
    parameters: { fd: 'i32', request: 'u32', argument: 'size' },
    returns: 'number',
  },
  {
    name: 'mmap',
    syscall: 'mmap',
    parameters: { id: 'size', fd: 'i32', length: 'size', protection: 'u32', flags: 'u32', offset: 'size' },
    returns: 'mapping',
  },
  { name: 'unmap', syscall: 'munmap', parameters: { id: 'size' }, returns: 'number' },
  {
    name: 'openat',
    syscall: 'openat',
    parameters: { dirFd: 'i32', path: 'text', flags: 'u32', mode: 'u32' },
    returns: 'fd',
  },
  { name: 'fileSize', syscall: 'fstat', parameters: { fd: 'i32' }, returns: 'number' },
  { name: 'read', syscall: 'read', parameters: { fd: 'i32', buffer: 'bytes' }, returns: 'number' },
  {
    name: 'pread',
    syscall: 'pread64',
    parameters: { fd: 'i32', buffer: 'bytes', offset: 'size' },
    returns: 'number',
  },
  { name: 'write', syscall: 'write', parameters: { fd: 'i32', buffer: 'bytes' }, returns: 'number' },
  { name: 'close', syscall: 'close', parameters: { fd: 'i32' }, returns: 'number' },
  {
    name: 'mkdirat',
    syscall: 'mkdirat',
    parameters: { dirFd: 'i32', path: 'text', mode: 'u32' },
    returns: 'number',
  },
  {
    name: 'unlinkat',
    syscall: 'unlinkat',
    parameters: { dirFd: 'i32', path: 'text', flags: 'u32' },
    returns: 'number',
  },
  {
    name: 'socket',
    syscall: 'socket',
    parameters: { domain: 'i32', type: 'i32', protocol: 'i32' },
    returns: 'fd',
  },
  {
    name: 'setsockopt',
    syscall: 'setsockopt',
    parameters: { fd: 'i32', level: 'i32', option: 'i32', value: 'bytes' },
    returns: 'number',
  },
  {
    name: 'sendto',
    syscall: 'sendto',
    parameters: { fd: 'i32', buffer: 'bytes', flags: 'u32' },
    returns: 'number',
  },
  {
    name: 'recvfrom',
    syscall: 'recvfrom',
    parameters: { fd: 'i32', buffer: 'bytes', flags: 'u32' },
    returns: 'number',
  },
  { name: 'pidfdOpen', syscall: 'pidfd_open', parameters: { pid: 'i32', flags: 'u32' }, returns: 'fd' },
  { name: 'fsopen', syscall: 'fsopen', parameters: { type: 'text', flags: 'u32' }, returns: 'fd' },
  {
    name: 'fsconfig',
    syscall: 'fsconfig',
    parameters: { fd: 'i32', cmd: 'u32', key: 'text?', value: 'text?' },
    returns: 'number',
  },
  {
    name: 'fsmount',
    syscall: 'fsmount',
    parameters: { fd: 'i32', flags: 'u32', attributes: 'u32' },
    returns: 'fd',
  },
  { name: 'epollCreate', syscall: 'epoll_create1', parameters: {}, returns: 'fd' },
  {
    name: 'epollControl',
    syscall: 'epoll_ctl',
    parameters: { epoll: 'i32', operation: 'u32', fd: 'i32', events: 'u32', data: 'u32' },
    returns: 'number',
  },
  {
    name: 'epollReady',
    syscall: 'epoll_pwait',
    parameters: { epoll: 'i32', ready: 'bytes' },
    returns: 'number',
  },
  { name: 'geteuid', syscall: 'geteuid', parameters: {}, returns: 'number' },
  {
    name: 'watch',
    syscall: undefined,
    parameters: { fd: 'i32', ready: 'function', uv: 'u32' },
    returns: 'number',
  },
  { name: 'unwatch', syscall: undefined, parameters: { id: 'size' }, returns: 'number' },
  { name: 'hasUvPoll', syscall: undefined, parameters: {}, returns: 'boolean' },
]
