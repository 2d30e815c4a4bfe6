import { commands } from '@tsbpf/uapi'
import type { CommandName } from './command.ts'
import { failure } from './errno.ts'
import type { AttrPointer, Mapping, Sys, Watch } from './sys.ts'

/** One call that reached a {@link FakeSys}. */
export interface RecordedCall {
  /** Member of `Sys`: `bpf`, `openat`; an asynchronous bpf(2) is recorded as `bpf`, too. */
  readonly call: keyof Sys
  /** For bpf(2), the command: `map_create`. */
  readonly command?: string
  /** The other arguments, buffers as copies from before the call. */
  readonly arguments: readonly unknown[]
  readonly result: unknown
}

/** A command of bpf(2) as a handler of {@link FakeHandlers} sees it. */
export interface FakeBpfCall {
  readonly command: string
  /** The attr, to read and to write as the kernel would. */
  readonly attr: DataView
  readonly pointers: readonly AttrPointer[]
  /** The buffer whose address the field at this offset has, `undefined` for a null pointer. */
  readonly buffer: (at: number) => Uint8Array | undefined
  /** A new descriptor that the door then owns; `kind` is for {@link FakeSys.open}. */
  readonly newFd: (kind?: string) => number
}

type Answers = Omit<Sys, 'name' | 'bpf' | 'bpfAsync' | 'prepareBpf' | 'atEnd'>

/** What a fake answers; all that is left out gets the errno of a kernel that knows no such thing. */
export interface FakeHandlers {
  /** By command: a result to give each time, or a function. */
  readonly bpf?: Partial<Record<CommandName, number | ((call: FakeBpfCall) => number)>>
  /** Files that can be opened and read, by path; a path that starts in a directory descriptor goes without it. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>
  /** Other calls: they replace the fake's own answer. */
  readonly calls?: Partial<Answers>
  /** Effective user id; 0 unless given. */
  readonly uid?: number
}

/** A door with no kernel behind it; see {@link fakeSys}. */
export interface FakeSys extends Sys {
  readonly recorded: readonly RecordedCall[]
  /** Descriptors that are open, with their kind: empty when nothing leaks. */
  readonly open: ReadonlyMap<number, string>
  /** A new descriptor that the door owns. */
  newFd(kind?: string): number
  /** Calls what watches `fd`, as the event loop would; returns whether anybody did. */
  makeReady(fd: number): boolean
  /** Undoes what `atEnd` was given, as the end of the process would, and returns how many that were. */
  end(): number
}

const encoder = new TextEncoder()

/** Buffers change after the call; the record keeps what they held. */
function frozen(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) {
    return value.map((item: AttrPointer) => ({
      ...item,
      buffer: item.buffer.slice(),
      pointers: frozen(item.pointers),
    }))
  }
  return value
}

/** Like the kernel's, but high and never used twice: mixed up descriptors show. */
const firstFd = 1000

/**
 * A door for tests: it records calls, gives scripted answers, and keeps account of descriptors. What is not scripted
 * fails as on a kernel without it: EINVAL for a command of bpf(2), ENOENT for a file, EBADF for a descriptor that is
 * not open, ENOSYS for the rest.
 *
 * @example
 * ```ts
 * import { fakeSys, mapCreate } from '@tsbpf/sys'
 * const sys = fakeSys({ bpf: { map_create: (call) => call.newFd('map') } })
 * const fd = mapCreate(sys, { map_type: 1, key_size: 4, value_size: 8, max_entries: 1 })
 * sys.close(fd)
 * console.log(sys.open.size, sys.recorded.map((call) => call.command ?? call.call)) // 0 [ 'map_create', 'close' ]
 * ```
 */
export function fakeSys(handlers: FakeHandlers = {}): FakeSys {
  const recorded: RecordedCall[] = []
  const open = new Map<number, string>()
  const positions = new Map<number, { readonly bytes: Uint8Array; at: number }>()
  const watches = new Map<number, () => void>()
  const undos: (() => void)[] = []
  const files = new Map(Object.entries(handlers.files ?? {}))
  let nextFd = firstFd

  const newFd = (kind = 'fd'): number => {
    open.set(nextFd, kind)
    return nextFd++
  }
  const record = <T>(call: keyof Sys, args: readonly unknown[], answer: () => T, command?: string): T => {
    const copies = args.map(frozen)
    const result = answer()
    recorded.push({ call, ...(command === undefined ? {} : { command }), arguments: copies, result })
    return result
  }
  const isOpen = (fd: number, result: number): number => (open.has(fd) ? result : failure('EBADF'))

  const bpf: Sys['bpf'] = (cmd, attr, pointers = []) => {
    const command = commands.byValue(cmd)?.name
    const handler = command === undefined ? undefined : handlers.bpf?.[command]
    const answer = (): number => {
      if (typeof handler === 'number') return handler
      if (handler === undefined || command === undefined) return failure('EINVAL')
      return handler({
        command,
        attr: new DataView(attr.buffer, attr.byteOffset, attr.byteLength),
        pointers,
        buffer: (at) => pointers.find((pointer) => pointer.at === at)?.buffer,
        newFd,
      })
    }
    return record('bpf', [cmd, attr, pointers], answer, commands.format(cmd))
  }

  const openFile = (path: string): number => {
    const content = files.get(path)
    if (content === undefined) return failure('ENOENT')
    const fd = newFd(path)
    positions.set(fd, { bytes: typeof content === 'string' ? encoder.encode(content) : content, at: 0 })
    return fd
  }
  const readFrom = (fd: number, buffer: Uint8Array): number => {
    const file = positions.get(fd)
    if (file === undefined) return isOpen(fd, failure('EINVAL'))
    const part = file.bytes.subarray(file.at, file.at + buffer.length)
    buffer.set(part)
    file.at += part.length
    return part.length
  }
  const closeFd = (fd: number): number => {
    positions.delete(fd)
    watches.delete(fd)
    return open.delete(fd) ? 0 : failure('EBADF')
  }
  const watchFd = (fd: number, ready: () => void): Watch | number => {
    if (!open.has(fd)) return failure('EBADF')
    if (watches.has(fd)) return failure('EEXIST')
    watches.set(fd, ready)
    return {
      stop: () => {
        if (watches.get(fd) === ready) watches.delete(fd)
      },
    }
  }

  const own: Answers = {
    perfEventOpen: () => failure('ENOSYS'),
    ioctl: (fd) => isOpen(fd, failure('EINVAL')),
    mmap: (fd): Mapping | number => isOpen(fd, failure('ENODEV')),
    openat: (_dirFd, path) => openFile(path),
    unlinkat: (_dirFd, path) => (files.delete(path) ? 0 : failure('ENOENT')),
    fileSize: (fd) => isOpen(fd, positions.get(fd)?.bytes.length ?? 0),
    read: readFrom,
    pread: (fd, buffer, offset) => {
      const rest = positions.get(fd)?.bytes.subarray(offset) ?? new Uint8Array(0)
      buffer.set(rest.subarray(0, buffer.length))
      return isOpen(fd, Math.min(rest.length, buffer.length))
    },
    write: (fd, buffer) => isOpen(fd, buffer.length),
    close: closeFd,
    mkdirat: () => failure('ENOENT'),
    socket: () => failure('ENOSYS'),
    setsockopt: (fd) => isOpen(fd, failure('EINVAL')),
    sendto: (fd) => isOpen(fd, failure('EINVAL')),
    recvfrom: (fd) => isOpen(fd, failure('EINVAL')),
    pidfdOpen: () => failure('ENOSYS'),
    fsopen: () => failure('ENOSYS'),
    fsconfig: (fd) => isOpen(fd, failure('EINVAL')),
    fsmount: (fd) => isOpen(fd, failure('EINVAL')),
    epollCreate: () => failure('ENOSYS'),
    epollControl: (epoll) => isOpen(epoll, failure('EINVAL')),
    epollReady: (epoll) => isOpen(epoll, failure('EINVAL')),
    geteuid: () => handlers.uid ?? 0,
    watch: watchFd,
  }
  const calls: Answers = { ...own, ...handlers.calls }
  const recording: Record<string, unknown> = {}
  for (const [name, answer] of Object.entries(calls) as [keyof Sys, (...args: unknown[]) => unknown][]) {
    recording[name] = (...args: unknown[]) => record(name, args, () => answer(...args))
  }
  return {
    ...(recording as unknown as Answers),
    name: 'fake',
    bpf,
    bpfAsync: async (cmd, attr, pointers) => {
      // As on the thread pool, nothing is done before the caller goes on.
      await Promise.resolve()
      return bpf(cmd, attr, pointers)
    },
    recorded,
    open,
    newFd,
    makeReady: (fd) => {
      const ready = watches.get(fd)
      ready?.()
      return ready !== undefined
    },
    atEnd: (undo) => {
      undos.push(undo)
      return () => {
        const at = undos.indexOf(undo)
        if (at >= 0) undos.splice(at, 1)
      }
    },
    end: () => {
      const asked = undos.splice(0).reverse()
      for (const undo of asked) undo()
      return asked.length
    },
  }
}
