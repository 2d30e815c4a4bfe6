import { isTsbpfError } from '@tsbpf/base'
import { fakeSys } from '@tsbpf/sys'
import type { FakeHandlers, FakeSys } from '@tsbpf/sys'
import { errnos, linux } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { attach, attachRawTracepoint, attachTracepoint, attachTracing } from './index.ts'

const program = { fd: 7, name: 'count' }
const files = {
  '/proc/self/status': 'CapEff:\t0000008000000000\n', // CAP_BPF alone
  '/sys/kernel/tracing': '',
  events: '',
  'events/raw_syscalls/sys_enter/id': '22\n',
  available_events: 'raw_syscalls:sys_exit\nraw_syscalls:sys_enter\nsched:sched_switch\n',
}

function kernel(over: Partial<FakeHandlers> = {}): FakeSys {
  const sys: FakeSys = fakeSys({
    files,
    ...over,
    bpf: {
      link_create: (call) => call.newFd('link'),
      raw_tracepoint_open: (call) => call.newFd('link'),
      ...over.bpf,
    },
    calls: { perfEventOpen: () => sys.newFd('perf'), ioctl: () => 0, ...over.calls },
  })
  return sys
}

const fails = (name: Parameters<typeof errnos.value>[0]): number => -errnos.value(name)

function ioctls(sys: FakeSys): readonly unknown[] {
  return sys.recorded.filter(({ call }) => call === 'ioctl').map(({ arguments: [, request] }) => request)
}

describe('attachTracepoint', () => {
  it('opens the event by its id, links the program and enables it', () => {
    const sys = kernel()
    const link = attachTracepoint(sys, program, 'raw_syscalls/sys_enter')
    const opened = sys.recorded.find(({ call }) => call === 'perfEventOpen')
    const attr = new DataView((opened?.arguments[0] as Uint8Array).buffer)
    expect([attr.getUint32(0, true), attr.getBigUint64(8, true)]).toEqual([2, 22n]) // PERF_TYPE_TRACEPOINT, id
    expect(opened?.arguments.slice(1, 5)).toEqual([-1, 0, -1, linux.PERF_FLAG_FD_CLOEXEC])
    expect(ioctls(sys)).toEqual([linux.PERF_EVENT_IOC_ENABLE])
    expect([...sys.open.values()].sort()).toEqual(['link', 'perf'])
    expect(link.fd).toBeDefined()
    link.detach()
    link.detach()
    expect(sys.open.size).toBe(0)
    expect(link.detached).toBe(true)
    expect(() => link.fd).toThrow(expect.objectContaining({ code: 'LINK_DISPOSED' }))
  })

  it('takes both spellings', () => {
    using link = attachTracepoint(kernel(), program, 'raw_syscalls:sys_enter')
    expect(link.kind).toBe('tracepoint')
  })

  it('attaches by ioctl where the kernel has no links for perf events', () => {
    for (const errno of ['EINVAL', 'EOPNOTSUPP'] as const) {
      const sys = kernel({ bpf: { link_create: fails(errno) } })
      const link = attachTracepoint(sys, program, 'raw_syscalls/sys_enter')
      expect(ioctls(sys)).toEqual([linux.PERF_EVENT_IOC_SET_BPF, linux.PERF_EVENT_IOC_ENABLE])
      expect(link.fd).toBeUndefined()
      expect(link.info()).toEqual({
        kind: 'tracepoint',
        program: 'count',
        target: 'raw_syscalls/sys_enter',
        id: undefined,
        type: undefined,
        programId: undefined,
      })
      link.detach()
      expect(sys.open.size).toBe(0)
    }
  })

  it('cannot hand over a cookie there', () => {
    const sys = kernel({ bpf: { link_create: fails('EINVAL') } })
    expect(() => attachTracepoint(sys, program, 'raw_syscalls/sys_enter', { cookie: 1n })).toThrow(
      expect.objectContaining({ code: 'LINK_UNSUPPORTED_OPTION' }),
    )
    expect(ioctls(sys)).toEqual([linux.PERF_EVENT_IOC_DISABLE])
    expect(sys.open.size).toBe(0)
  })

  it('lets no name reach a path that is none', () => {
    const sys = kernel()
    for (const target of [
      '',
      'sys_enter',
      'a/b/c',
      '../id',
      'a/..',
      'a/.',
      'a\0/b',
      'a/b\0',
      '/a',
      'a/',
      'a b/c',
    ]) {
      expect(() => attachTracepoint(sys, program, target), JSON.stringify(target)).toThrow(
        expect.objectContaining({ code: 'LINK_BAD_TARGET' }),
      )
    }
    expect(sys.recorded).toEqual([])
  })

  it('suggests the nearest tracepoint', () => {
    const sys = kernel()
    const attempts = [
      [
        'raw_syscalls/sys_entr',
        'did you mean raw_syscalls/sys_enter? known: raw_syscalls/sys_exit, raw_syscalls/sys_enter',
      ],
      ['sched/shed_switch', 'did you mean sched/sched_switch? known: sched/sched_switch'],
    ] as const
    for (const [target, hint] of attempts) {
      expect(() => attachTracepoint(sys, program, target)).toThrow(
        expect.objectContaining({ code: 'LINK_UNKNOWN_TRACEPOINT', hint }),
      )
    }
    expect(sys.open.size).toBe(0)
  })

  it('refuses an id that is no number', () => {
    const sys = kernel({ files: { ...files, 'events/raw_syscalls/sys_enter/id': 'abc' } })
    expect(() => attachTracepoint(sys, program, 'raw_syscalls/sys_enter')).toThrow(
      expect.objectContaining({ code: 'LINK_TRACEFS' }),
    )
    expect(sys.open.size).toBe(0)
  })

  const faults: readonly (readonly [string, Partial<FakeHandlers>, string])[] = [
    ['perf_event_open', { calls: { perfEventOpen: () => fails('EACCES') } }, 'LINK_DENIED'],
    ['perf_event_open', { calls: { perfEventOpen: () => fails('ENODEV') } }, 'LINK_REFUSED'],
    ['BPF_LINK_CREATE', { bpf: { link_create: fails('EPERM') } }, 'LINK_DENIED'],
    ['BPF_LINK_CREATE', { bpf: { link_create: fails('EEXIST') } }, 'LINK_REFUSED'],
    ['ioctl PERF_EVENT_IOC_ENABLE', { calls: { ioctl: () => fails('EINVAL') } }, 'LINK_REFUSED'],
    [
      'ioctl PERF_EVENT_IOC_SET_BPF',
      { bpf: { link_create: fails('EINVAL') }, calls: { ioctl: () => fails('EPERM') } },
      'LINK_DENIED',
    ],
  ]
  for (const [step, over, code] of faults) {
    it(`names the step and closes everything: ${step}, ${code}`, () => {
      const sys: FakeSys = kernel({
        ...over,
        calls: { perfEventOpen: () => sys.newFd('perf'), ...over.calls },
      })
      expect(() => attachTracepoint(sys, program, 'raw_syscalls/sys_enter')).toThrow(
        expect.objectContaining({
          code,
          message: expect.stringContaining(`${step} failed with E`) as string,
        }),
      )
      expect(sys.open.size).toBe(0)
    })
  }

  it('says which capability is missing', () => {
    const sys = kernel({ calls: { perfEventOpen: () => fails('EACCES') } })
    expect(() => attachTracepoint(sys, program, 'raw_syscalls/sys_enter')).toThrow(
      expect.objectContaining({
        message:
          'program count may not be attached to raw_syscalls/sys_enter: perf_event_open failed with EACCES, because this process lacks CAP_PERFMON',
        hint: 'run as root, or grant CAP_PERFMON (before kernel 5.8: CAP_SYS_ADMIN)',
      }),
    )
  })

  it('says that tracefs cannot be read', () => {
    const sys = kernel({ files: { '/proc/self/status': files['/proc/self/status'] } })
    expect(() => attachTracepoint(sys, program, 'raw_syscalls/sys_enter')).toThrow(
      expect.objectContaining({ code: 'SYS_TRACEFS' }),
    )
    expect(sys.open.size).toBe(0)
  })
})

describe('attachRawTracepoint', () => {
  it('links by name', () => {
    const sys = kernel()
    const link = attachRawTracepoint(sys, program, 'sys_enter')
    expect(link.kind).toBe('raw_tracepoint')
    link.detach()
    expect(sys.open.size).toBe(0)
  })

  it('refuses names that are none, and unknown ones', () => {
    for (const target of ['', 'a/b', 'a\0', 'x'.repeat(128)]) {
      expect(() => attachRawTracepoint(kernel(), program, target)).toThrow(
        expect.objectContaining({ code: 'LINK_BAD_TARGET' }),
      )
    }
    const sys = kernel({ bpf: { raw_tracepoint_open: fails('ENOENT') } })
    expect(() => attachRawTracepoint(sys, program, 'sys_entr')).toThrow(
      expect.objectContaining({ code: 'LINK_UNKNOWN_TRACEPOINT' }),
    )
  })

  it('says what was refused', () => {
    for (const [errno, code] of [
      ['EPERM', 'LINK_DENIED'],
      ['EINVAL', 'LINK_REFUSED'],
    ] as const) {
      const sys = kernel({ bpf: { link_create: fails('EINVAL'), raw_tracepoint_open: fails(errno) } })
      expect(() => attachTracing(sys, program, 'trace_raw_tp', 'sys_enter')).toThrow(
        expect.objectContaining({ code }),
      )
    }
  })
})

describe('attach', () => {
  const section = (
    type: string | undefined,
    attachType: string | undefined,
    attachTo: string | undefined,
    section = type ?? 'unknown',
  ) => ({
    ...program,
    type,
    attachType,
    attachTo,
    section,
  })

  it('goes by program type and attach type', () => {
    const attached = [
      [section('tracepoint', undefined, 'raw_syscalls/sys_enter'), 'tracepoint'],
      [section('raw_tracepoint', undefined, 'sys_enter'), 'raw_tracepoint'],
      [section('tracing', 'trace_raw_tp', 'sys_enter'), 'trace_raw_tp'],
    ] as const
    for (const [one, kind] of attached) {
      using link = attach(kernel(), one)
      expect(link.kind).toBe(kind)
    }
  })

  it('prefers the target of the options, where it is not fixed', () => {
    using link = attach(kernel(), section('raw_tracepoint', undefined, 'sys_enter'), { target: 'sys_exit' })
    expect(link.target).toBe('sys_exit')
    const typed = section('tracing', 'trace_raw_tp', 'sys_enter')
    expect(() => attach(kernel(), typed, { target: 'sys_exit' })).toThrow(
      expect.objectContaining({ code: 'LINK_BAD_TARGET' }),
    )
  })

  it('says what it cannot attach', () => {
    const wrong = [
      [section('syscall', undefined, 'main'), 'LINK_UNSUPPORTED_KIND'],
      [section('lwt_xmit', undefined, '10.9.0.0/33 dev lo'), 'LINK_BAD_TARGET'],
      [section('lwt_in', undefined, 'fc00::/64 via 10.0.0.1'), 'LINK_BAD_TARGET'],
      [section('lwt_out', undefined, '10.9.0.0/24'), 'LINK_BAD_TARGET'],
      [section('kprobe', undefined, 'x:y:z', 'usdt'), 'LINK_NO_BINARY'],
      [section('kprobe', undefined, 'x:y', 'usdt'), 'LINK_BAD_TARGET'],
      [section(undefined, undefined, undefined), 'LINK_UNSUPPORTED_KIND'],
      [section('tracepoint', undefined, undefined), 'LINK_NO_TARGET'],
      [section('tracepoint', undefined, ''), 'LINK_NO_TARGET'],
    ] as const
    for (const [one, code] of wrong) {
      try {
        attach(kernel(), one)
        expect.unreachable()
      } catch (error) {
        expect(isTsbpfError(error, code), String(error)).toBe(true)
      }
    }
  })
})
