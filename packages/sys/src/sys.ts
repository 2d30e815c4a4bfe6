/**
 * A pointer field of a structure handed to the kernel: the address of `buffer` is written as 64 bits at `at`.
 * `pointers` are pointer fields inside that buffer.
 */
export interface AttrPointer {
  /** Byte offset of the pointer field in the structure. */
  readonly at: number
  readonly buffer: Uint8Array
  readonly pointers?: readonly AttrPointer[]
}

/** Memory that {@link Sys.mmap} mapped. It stays mapped until `unmap`, or until nothing holds `memory` any more. */
export interface Mapping {
  readonly memory: ArrayBuffer
  /** Detaches `memory` (its length becomes 0) and unmaps. A second call does nothing. */
  unmap(): void
}

/** One call of {@link Sys.prepareBpf}: its pointers are places of buffers in the list of sizes. */
export interface BpfCallSpec {
  /** Number of the command (`commands` of `@tsbpf/uapi`). */
  readonly cmd: number
  /** What the attr starts with; at most 256 bytes. */
  readonly attr: Uint8Array
  /** Pointer fields of the attr, at most 4. */
  readonly pointers: readonly PreparedPointer[]
  /** Most calls that one `runMany` makes; without it there is only `run`. At most 2**20. */
  readonly repeat?: number
}

/** A pointer field of a {@link BpfCallSpec}. */
export interface PreparedPointer {
  /** Byte offset of the field in the attr. */
  readonly at: number
  /** Index of its buffer in the list of sizes. */
  readonly buffer: number
  /** Where in the buffer it points to; 0 unless given. */
  readonly offset?: number
  /** Bytes that the kernel may touch there in one call; the rest of the buffer unless given. 0 is a null pointer. */
  readonly size?: number
  /** Bytes from there to the place of the next call of `runMany`; 0 unless given. */
  readonly step?: number
}

/** One call of a {@link PreparedBpf}. */
export interface PreparedCall {
  /** Can be changed between runs. */
  readonly attr: Uint8Array
  /** Makes the call; returns what bpf(2) returns. Not for a call with `repeat`. */
  readonly run: () => number
  /**
   * For a call with `repeat`: makes it `count` times in a row, each with its own part of the buffers, and returns how
   * many were made: all, or with `stop` those up to the first that does not return 0.
   */
  readonly runMany: (count: number, stop: boolean) => number
  /** What each call of the last `runMany` returned. */
  readonly results: Int32Array
}

/** Calls that are made often, with memory of their own; see {@link Sys.prepareBpf}. */
export interface PreparedBpf {
  readonly buffers: readonly Uint8Array[]
  /** In the order given. */
  readonly calls: readonly PreparedCall[]
}

/** A descriptor that is being watched. */
export interface Watch {
  /** Stops watching; a second call does nothing. The event loop is no longer kept alive by it. */
  stop(): void
}

/**
 * The one door to the kernel: a typed call for each system call that @tsbpf uses.
 *
 * Calls return the kernel's result, or the negated errno; they do not throw for what the kernel answers.
 * Buffers stay alive and in place for the call. Descriptors that a call returns are owned by this door: only
 * those can be closed through it, and those left open are closed when its environment (a Worker, the process) ends.
 * Strings are paths or names without NUL. Numbers that do not fit their C type are a `RangeError`.
 */
export interface Sys {
  /** Which implementation this is: `native`, `fake`. */
  readonly name: string
  /**
   * bpf(2). The kernel may write into `attr` and the buffers. Synchronous.
   * @param cmd - number of the command (`commands` of `@tsbpf/uapi`)
   */
  bpf(cmd: number, attr: Uint8Array, pointers?: readonly AttrPointer[]): number
  /**
   * bpf(2) on the thread pool, for calls that can take long. It works on copies: what the kernel wrote is
   * copied back into `attr` and the buffers before the promise resolves.
   */
  bpfAsync(cmd: number, attr: Uint8Array, pointers?: readonly AttrPointer[]): Promise<number>
  /**
   * Makes calls of bpf(2) ready that will be made often: buffers of the given sizes and attrs are allocated once, so
   * that a run costs little more than the system call. The memory lives as long as anything here is held.
   * A door without it, or one that returns undefined (no such memory in this runtime), has `bpf`: `prepareBpf` of this
   * package falls back to that.
   */
  prepareBpf?(sizes: readonly number[], calls: readonly BpfCallSpec[]): PreparedBpf | undefined
  /** perf_event_open(2); `attr` is a `struct perf_event_attr`. */
  perfEventOpen(
    attr: Uint8Array,
    pid: number,
    cpu: number,
    groupFd: number,
    flags: number,
    pointers?: readonly AttrPointer[],
  ): number
  /** ioctl(2) with a number as argument. */
  ioctl(fd: number, request: number, argument: number): number
  /** mmap(2) of a descriptor with `length` bytes from `offset`; a negated errno on failure. */
  mmap(fd: number, length: number, protection: number, flags: number, offset: number): Mapping | number
  /** openat(2) with O_CLOEXEC; `dirFd` -100 is the working directory. */
  openat(dirFd: number, path: string, flags: number, mode?: number): number
  /** Size in bytes of an open file, by fstat(2). */
  fileSize(fd: number): number
  /** read(2) into `buffer`; 0 at the end. */
  read(fd: number, buffer: Uint8Array): number
  /** pread64(2) into `buffer` from `offset`, which stays below 2^53; 0 at the end. */
  pread(fd: number, buffer: Uint8Array, offset: number): number
  /** write(2) of `buffer`. */
  write(fd: number, buffer: Uint8Array): number
  /** close(2) of a descriptor that this door owns; -EBADF for any other. */
  close(fd: number): number
  /** mkdirat(2); `dirFd` -100 is the working directory. */
  mkdirat(dirFd: number, path: string, mode: number): number
  /** unlinkat(2): removes a file; with `AT_REMOVEDIR` in `flags` an empty directory. */
  unlinkat(dirFd: number, path: string, flags: number): number
  /** socket(2) with SOCK_CLOEXEC. */
  socket(domain: number, type: number, protocol: number): number
  /** setsockopt(2). */
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number
  /** sendto(2) without an address, on a connected or netlink socket. */
  sendto(fd: number, buffer: Uint8Array, flags: number): number
  /** recvfrom(2) without an address. */
  recvfrom(fd: number, buffer: Uint8Array, flags: number): number
  /** pidfd_open(2). */
  pidfdOpen(pid: number, flags: number): number
  /** fsopen(2), for a file system that is mounted nowhere. */
  fsopen(type: string, flags: number): number
  /** fsconfig(2); `key` and `value` only where `cmd` takes them. */
  fsconfig(fd: number, cmd: number, key: string | undefined, value: string | undefined): number
  /** fsmount(2): a descriptor for {@link Sys.openat}; no mount point is made. */
  fsmount(fd: number, flags: number, attributes: number): number
  /** epoll_create1(2): one descriptor to {@link Sys.watch} that stands for many. */
  epollCreate(): number
  /** epoll_ctl(2): `events` are EPOLL… bits, `data` comes back from {@link Sys.epollReady}. */
  epollControl(epoll: number, operation: number, fd: number, events: number, data: number): number
  /**
   * epoll_wait(2) without waiting: how many descriptors are ready, at most 64. `ready` gets 8 bytes for each, events
   * and `data` as native 32-bit numbers.
   */
  epollReady(epoll: number, ready: Uint8Array): number
  /** Effective user id, by geteuid(2). */
  geteuid(): number
  /**
   * Calls `ready` from the event loop as long as `fd`, which this door owns and nobody else watches, is readable;
   * closing it stops the watch. A negated errno where it cannot be watched. What `ready` throws is uncaught.
   */
  watch(fd: number, ready: () => void): Watch | number
  /**
   * Calls `undo`, synchronously, when this environment ends with it still asked for: the event loop is empty,
   * `process.exit`, an uncaught error, and SIGHUP, SIGINT, SIGQUIT or SIGTERM where nobody else listens for that signal,
   * which then ends the process as if nobody had listened at all. The last asked for is undone first. Nothing is undone
   * at other signals, when a Worker is terminated, or in a Worker when a signal ends the process.
   * Returns a function that takes it back. A door without it leaves undoing to the caller.
   */
  atEnd?(undo: () => void): () => void
}
