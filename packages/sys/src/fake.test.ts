import { describe, expect, it } from 'vitest'
import {
  checked,
  effectiveCapabilities,
  lackingCapabilities,
  failure,
  fakeSys,
  Fd,
  mapBatch,
  mapCreate,
  mapElements,
  mapFile,
  mapGetInfo,
  nextId,
  objectIds,
  progLoad,
  progLoadAsync,
  readFile,
  rawTracepointOpen,
  SyscallError,
  tracefs,
} from './index.ts'
import { linux, mapElemAttr, mapInfo, objIdAttr, objInfoAttr, progLoadAttr } from '@tsbpf/uapi'

describe('fakeSys', () => {
  it('fails as a kernel that knows nothing', () => {
    const sys = fakeSys()
    expect(sys.bpf(0, new Uint8Array(8))).toBe(failure('EINVAL'))
    expect(sys.bpf(9999, new Uint8Array(8))).toBe(failure('EINVAL'))
    expect(sys.openat(-100, '/x', 0)).toBe(failure('ENOENT'))
    expect(sys.read(5, new Uint8Array(1))).toBe(failure('EBADF'))
    expect(sys.close(5)).toBe(failure('EBADF'))
    expect(sys.mmap(5, 1, 1, 1, 0)).toBe(failure('EBADF'))
    expect(sys.watch(5, () => undefined)).toBe(failure('EBADF'))
    expect(sys.fsopen('tracefs', 0)).toBe(failure('ENOSYS'))
    expect(sys.unlinkat(-100, '/x', 0)).toBe(failure('ENOENT'))
    expect(sys.geteuid()).toBe(0)
    expect(sys.recorded.map(({ call, command }) => command ?? call)).toEqual([
      ...[
        'map_create',
        'bpf_cmd(9999)',
        'openat',
        'read',
        'close',
        'mmap',
        'watch',
        'fsopen',
        'unlinkat',
        'geteuid',
      ],
    ])
  })

  it('records buffers as they were before the call', () => {
    const sys = fakeSys({
      bpf: {
        map_lookup_elem: ({ attr, buffer }) => {
          attr.setUint8(0, 9)
          buffer(mapElemAttr.offsets.value)?.fill(7)
          return 0
        },
      },
    })
    const elements = mapElements(sys, 3, { keySize: 4, valueSize: 2 })
    expect(elements.lookup()).toBe(0)
    expect([...elements.value]).toEqual([7, 7])
    const [call] = sys.recorded
    const [, attr, pointers] = call!.arguments as [number, Uint8Array, { buffer: Uint8Array }[]]
    expect(attr[0]).toBe(3)
    expect(pointers[1]!.buffer).toEqual(new Uint8Array(2))
  })

  it('keeps account of descriptors', () => {
    const sys = fakeSys({ files: { '/a': 'text' }, bpf: { map_create: (call) => call.newFd('map') } })
    const map = mapCreate(sys, { map_type: 1 })
    const file = sys.openat(-100, '/a', 0)
    expect([...sys.open.values()]).toEqual(['map', '/a'])
    expect(sys.close(map)).toBe(0)
    expect(sys.close(map)).toBe(failure('EBADF'))
    expect(sys.close(file)).toBe(0)
    expect(sys.open.size).toBe(0)
  })

  it('makes descriptors ready on demand', () => {
    const sys = fakeSys()
    const fd = sys.newFd()
    let calls = 0
    const watch = sys.watch(fd, () => calls++)
    expect(sys.watch(fd, () => undefined)).toBe(failure('EEXIST'))
    expect(sys.makeReady(fd)).toBe(true)
    if (typeof watch !== 'number') watch.stop()
    expect(sys.makeReady(fd)).toBe(false)
    expect(calls).toBe(1)
  })
})

describe('wrappers', () => {
  it('throw a SyscallError that says call, command, subject and what to do', () => {
    const sys = fakeSys({ bpf: { map_create: failure('EPERM'), raw_tracepoint_open: failure('ENOENT') } })
    const thrown = ((): unknown => {
      try {
        return mapCreate(sys, { map_type: 1, map_name: 'counts' })
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toBeInstanceOf(SyscallError)
    expect(thrown).toMatchObject({
      code: 'SYS_CALL_FAILED',
      message: 'bpf(map_create) of counts failed with EPERM',
      context: { call: 'bpf', command: 'map_create', subject: 'counts', errno: 1, errnoName: 'EPERM' },
    })
    expect((thrown as SyscallError).hint).toContain('CAP_BPF')
    expect(() => rawTracepointOpen(sys, 'sys_enter', 3)).toThrow('of sys_enter failed with ENOENT')
  })

  it.each([
    ['EPERM', 'bpf', undefined, /CAP_BPF/],
    ['EPERM', 'perf_event_open', undefined, /CAP_PERFMON/],
    ['EPERM', 'fsopen', undefined, /CAP_SYS_ADMIN/],
    ['EACCES', 'openat', undefined, /permissions of the file/],
    ['EACCES', 'bpf', 'prog_load', /verifier/],
    ['ENOSYS', 'pidfd_open', undefined, /no pidfd_open\(2\)/],
    ['E2BIG', 'bpf', undefined, /full/],
    ['EMFILE', 'openat', undefined, /ulimit -n/],
    ['ENOMEM', 'bpf', undefined, /RLIMIT_MEMLOCK/],
  ] as const)('%s of %s %s has a hint', (name, call, command, hint) => {
    expect(new SyscallError(failure(name), { call, command }).hint).toMatch(hint)
  })

  it('name an errno that no table has', () => {
    expect(new SyscallError(-524, { call: 'bpf' }).errnoName).toBe('ENOTSUPP')
    expect(new SyscallError(-4000, { call: 'bpf' }).message).toBe('bpf failed with errno(4000)')
    expect(checked(0, 'bpf')).toBe(0)
  })

  it('count what pointers point to', async () => {
    let seen: unknown
    const sys = fakeSys({
      bpf: {
        prog_load: ({ attr, buffer }) => {
          const fields = progLoadAttr.readAt(attr, 0, true)
          seen = {
            ...fields,
            license: new TextDecoder().decode(buffer(progLoadAttr.offsets.license)),
            prog_name: new TextDecoder().decode(fields.prog_name),
          }
          attr.setUint32(progLoadAttr.offsets.log_true_size, 77, true)
          return failure('EACCES')
        },
      },
    })
    const fields = {
      prog_type: 5,
      insns: new Uint8Array(24),
      license: 'GPL',
      prog_name: 'a_name_that_is_long',
      log_level: 1,
      log_buf: new Uint8Array(100),
      func_info: new Uint8Array(16),
      func_info_rec_size: 8,
      line_info: new Uint8Array(48),
      line_info_rec_size: 16,
    }
    expect(progLoad(sys, fields)).toEqual({ fd: failure('EACCES'), logTrueSize: 77 })
    expect(seen).toMatchObject({
      prog_type: 5,
      insn_cnt: 3,
      license: 'GPL\0',
      prog_name: 'a_name_that_is_\0',
      log_size: 100,
      func_info_cnt: 2,
      line_info_cnt: 3,
      fd_array_cnt: 0,
    })
    expect(await progLoadAsync(sys, fields)).toEqual({ fd: failure('EACCES'), logTrueSize: 77 })
  })

  it('walk ids to their end', () => {
    const ids = [3, 8, 21]
    const sys = fakeSys({
      bpf: {
        map_get_next_id: ({ attr }) => {
          const next = ids.find((id) => id > attr.getUint32(objIdAttr.offsets.start_id, true))
          if (next === undefined) return failure('ENOENT')
          attr.setUint32(objIdAttr.offsets.next_id, next, true)
          return 0
        },
        prog_get_next_id: failure('EPERM'),
      },
    })
    expect([...objectIds(sys, 'map')]).toEqual(ids)
    expect(() => nextId(sys, 'prog', 0)).toThrow('bpf(prog_get_next_id) failed with EPERM')
  })

  it('read information, also from a kernel that knows less', () => {
    const sys = fakeSys({
      bpf: {
        obj_get_info_by_fd: ({ attr, buffer }) => {
          const info = buffer(objInfoAttr.offsets.info)!
          new DataView(info.buffer).setUint32(mapInfo.offsets.id, 12, true)
          attr.setUint32(objInfoAttr.offsets.info_len, 40, true)
          return 0
        },
      },
    })
    expect(mapGetInfo(sys, 3)).toMatchObject({ id: 12, btf_id: 0 })
  })

  it('take the count of a batch only where the kernel has set it', () => {
    const answers = [0, failure('ENOENT'), failure('EINVAL'), failure('ENOSPC')]
    const counts = [4, 2, 4, 0]
    let call = 0
    const sys = fakeSys({
      bpf: {
        map_lookup_batch: ({ attr }) => {
          attr.setUint32(32, counts[call]!, true)
          return answers[call++]!
        },
      },
    })
    const batch = mapBatch(sys, 3, { keySize: 4, valueSize: 8, capacity: 4 })
    expect(answers.map(() => batch.lookup(true))).toEqual([
      { result: 0, count: 4 },
      { result: failure('ENOENT'), count: 2 },
      { result: failure('EINVAL'), count: 0 },
      { result: failure('ENOSPC'), count: 0 },
    ])
  })
})

describe('Fd', () => {
  it('closes once', () => {
    const sys = fakeSys()
    const number = sys.newFd('map')
    const fd = new Fd(sys, number, 'map counts')
    expect([fd.value, fd.disposed]).toEqual([number, false])
    fd.dispose()
    fd[Symbol.dispose]()
    expect(sys.recorded.filter(({ call }) => call === 'close')).toHaveLength(1)
    expect(() => fd.value).toThrow(expect.objectContaining({ code: 'SYS_FD_DISPOSED' }))
    expect(() => fd.value).toThrow('map counts is used after it was closed')
  })

  it('hands its number over', () => {
    const sys = fakeSys()
    const number = sys.newFd()
    const fd = new Fd(sys, number)
    expect(fd.take()).toBe(number)
    fd.dispose()
    expect(sys.open.has(number)).toBe(true)
    expect(() => fd.take()).toThrow(expect.objectContaining({ code: 'SYS_FD_DISPOSED' }))
  })

  it('takes no errno for a descriptor', () => {
    expect(() => new Fd(fakeSys(), -13, 'map')).toThrow(RangeError)
  })
})

describe('files', () => {
  it('are read whole, also when a read is interrupted or short', () => {
    const content = new Uint8Array(10_000).map((_, index) => index)
    let at = 0
    let reads = 0
    const sys = fakeSys({
      files: { '/f': '' },
      calls: {
        read: (_fd, buffer) => {
          if (++reads % 3 === 0) return failure('EINTR')
          const part = content.subarray(at, at + Math.min(buffer.length, 999))
          buffer.set(part)
          at += part.length
          return part.length
        },
      },
    })
    expect(readFile(sys, '/f')).toEqual(content)
    expect(sys.open.size).toBe(0)
  })

  it('are closed also when reading fails', () => {
    const sys = fakeSys({ files: { '/f': 'x' }, calls: { read: () => failure('EIO') } })
    expect(() => readFile(sys, '/f')).toThrow('read of /f failed with EIO')
    expect(sys.open.size).toBe(0)
  })

  it('are read where the kernel does not map them', () => {
    const sys = fakeSys({ files: { '/sys/kernel/btf/vmlinux': 'bytes' } })
    using file = mapFile(sys, '/sys/kernel/btf/vmlinux')
    expect([new TextDecoder().decode(file.bytes), file.mapped, sys.open.size]).toEqual(['bytes', false, 0])
  })

  it('tell the capabilities', () => {
    const status = (mask: string): string => `Name:\tx\nCapInh:\t0\nCapEff:\t${mask}\nCapBnd:\tffff\n`
    const of = (mask: string): string[] | undefined => {
      const names = effectiveCapabilities(fakeSys({ files: { '/proc/self/status': status(mask) } }))
      return names === undefined ? undefined : [...names]
    }
    expect(of('0000000000000000')).toEqual([])
    expect(of('000000c000000000')).toEqual(['CAP_PERFMON', 'CAP_BPF'])
    expect(of('nonsense')).toBeUndefined()
  })

  it('tell which capabilities are lacking, in the namespace that counts', () => {
    const lacking = (mask: string, map = '0 0 4294967295\n'): readonly string[] =>
      lackingCapabilities(
        fakeSys({ files: { '/proc/self/status': `CapEff:\t${mask}\n`, '/proc/self/uid_map': map } }),
        ['CAP_BPF', 'CAP_PERFMON'],
      )
    expect(lacking('0000008000000000')).toEqual(['CAP_PERFMON'])
    expect(lacking('0000000000200000')).toEqual([]) // CAP_SYS_ADMIN
    expect(lacking('000001ffffffffff', '0 1000 1\n')).toEqual(['CAP_BPF', 'CAP_PERFMON'])
    expect(lackingCapabilities(fakeSys(), ['CAP_BPF'])).toEqual([])
  })
})

describe('tracefs', () => {
  const fs = {
    fsconfig: () => 0,
    fsmount: (): number => 77,
  }

  it('is taken from where it is mounted', () => {
    const paths: string[] = []
    const sys = fakeSys({
      files: { '/sys/kernel/debug/tracing': '', events: '' },
      calls: {},
    })
    using dir = tracefs(sys)
    for (const { call, arguments: args } of sys.recorded) if (call === 'openat') paths.push(args[1] as string)
    expect(paths).toEqual(['/sys/kernel/tracing', '/sys/kernel/debug/tracing', 'events'])
    expect([...sys.open.keys()]).toEqual([dir.value])
  })

  it('is mounted apart where it is not mounted, and the context is closed', () => {
    const sys = fakeSys({
      files: { '/sys/kernel/tracing': '' },
      calls: { ...fs, fsopen: () => sys.newFd('context') },
    })
    expect(tracefs(sys).take()).toBe(77)
    expect(sys.open.size).toBe(0)
    expect(sys.recorded.find(({ call }) => call === 'fsconfig')!.arguments[1]).toBe(linux.FSCONFIG_CMD_CREATE)
  })

  it.each([
    ['EACCES', 'EPERM', /gid=GROUP,mode=750 \/sys\/kernel\/tracing/],
    ['ENOENT', 'EPERM', /run as root.* mount -t tracefs -o gid=GROUP,mode=750/],
    ['ENOENT', 'ENODEV', /CONFIG_TRACING/],
    ['ENOENT', 'ENOSYS', /have it mounted/],
  ] as const)('says what is missing: %s, %s', (open, mount, hint) => {
    const sys = fakeSys({ calls: { ...fs, openat: () => failure(open), fsopen: () => failure(mount) } })
    expect(() => tracefs(sys)).toThrow(
      expect.objectContaining({ code: 'SYS_TRACEFS', hint: expect.stringMatching(hint) as string }),
    )
  })

  it('closes everything when a step fails', () => {
    const sys = fakeSys({
      calls: { ...fs, fsopen: () => sys.newFd('context'), fsconfig: () => failure('EPERM') },
    })
    expect(() => tracefs(sys)).toThrow(/fsconfig: EPERM/)
    expect(sys.open.size).toBe(0)
  })
})
