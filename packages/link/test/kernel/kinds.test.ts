import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { parseBtf } from '@tsbpf/btf'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { commands, errnos } from '@tsbpf/uapi'
import type { AttachTypeName, ProgTypeName } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import {
  attachCgroup,
  attachIterator,
  attachKprobe,
  attachPerfSampling,
  attachSocketFilter,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  cgroup2Mount,
  readIterator,
  uprobePlace,
} from '../../src/index.ts'
import type { AttachableProgram, Link } from '../../src/index.ts'
import { loadProgram, runs } from './program.ts'
import type { TestProgram } from './program.ts'

const gate = requires({
  root: true,
  kernel: [6, 6],
  reason: 'attaches programs to its own process and cgroup',
})
const sys = gate.skip ? (undefined as never) : nativeSys()

/** The running kernel as if it had no links. */
const withoutLinks = {
  ...sys,
  bpf: (...[cmd, ...rest]: Parameters<typeof sys.bpf>) =>
    cmd === commands.value('link_create') ? -errnos.value('EINVAL') : sys.bpf(cmd, ...rest),
}

async function expectRuns(
  test: TestProgram,
  attach: (program: AttachableProgram) => Link,
  work: () => unknown,
): Promise<void> {
  const before = descriptors()
  const { attached, after } = await runs(sys, test, attach, work)
  expect(attached).toBeGreaterThan(0)
  expect(after).toBe(0)
  expectNoLeak(before, descriptors())
}

/** Runs a command inside a cgroup of its own that `body` gets the path of. */
async function inCgroup(body: (path: string, run: (script: string) => void) => Promise<void>): Promise<void> {
  const path = `${cgroup2Mount(sys) ?? ''}/tsbpf-${process.pid}`
  mkdirSync(path)
  try {
    await body(path, (script) => {
      execFileSync('sh', ['-c', `echo $$ > ${path}/cgroup.procs && ${script}`])
    })
  } finally {
    rmdirSync(path)
  }
}

async function packet(): Promise<void> {
  const server = createSocket('udp4')
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const client = createSocket('udp4')
  const got = once(server, 'message')
  client.send('x', server.address().port, '127.0.0.1')
  await got
  client.close()
  server.close()
}

const kernelBtf = (): ReturnType<typeof parseBtf> =>
  parseBtf(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')))

describe.skipIf(gate.skip)(gate.title('kinds of attachment'), () => {
  it.each([
    ['uprobe', false],
    ['uretprobe', true],
  ] as const)('%s on a function of the C library', async (kind, retprobe) => {
    await expectRuns(
      { type: 'kprobe' },
      (program) => {
        const link = attachUprobe(sys, program, 'libc.so.6:getrandom', { retprobe })
        expect(link.info()).toMatchObject({ kind, type: 'perf_event' })
        return link
      },
      () => {
        execFileSync('/usr/bin/mktemp', ['--dry-run'])
      },
    )
  })

  it('many uprobes at once, of one process', async () => {
    const target = { path: 'libc.so.6', functions: 'getr?nd*m' }
    const test = { type: 'kprobe', attachType: 'trace_uprobe_multi' } as const
    await expectRuns(
      test,
      (program) => {
        const link = attachUprobeMulti(sys, program, target)
        expect(link.info().type).toBe('uprobe_multi')
        return link
      },
      () => {
        execFileSync('/usr/bin/mktemp', ['--dry-run'])
      },
    )
  })

  it('finds a place in a file', () => {
    const program = { fd: -1, name: 'nothing' }
    const place = uprobePlace(sys, program, 'libc.so.6:malloc')
    expect(place.path).toMatch(/libc\.so\.6$/)
    expect(uprobePlace(sys, program, 'libc.so.6:malloc+4').offset).toBe(place.offset + 4)
    expect(uprobePlace(sys, program, '/bin/sh:0x1000')).toEqual({ path: '/bin/sh', offset: 4096 })
    for (const [target, code] of [
      ['libc.so.6:no_such_function', 'LINK_UNKNOWN_FUNCTION'],
      ['no-such-program:main', 'LINK_NO_BINARY'],
      ['/no/such/file:main', 'LINK_NO_BINARY'],
      ['libc.so.6', 'LINK_BAD_TARGET'],
    ] as const) {
      expect(() => uprobePlace(sys, program, target)).toThrow(expect.objectContaining({ code }))
    }
  })

  it('samples by the clock', async () => {
    await expectRuns(
      { type: 'perf_event' },
      (program) => attachPerfSampling(sys, program, 'cpu_clock', { pid: process.pid, frequency: 4000 }),
      () => {
        const end = performance.now() + 50
        while (performance.now() < end);
      },
    )
  })

  it('says when the clock stands in for a hardware event', () => {
    const program = loadProgram(sys, { type: 'perf_event' })
    using link = attachPerfSampling(sys, program, 'cpu_cycles', { cpu: 0 })
    expect(link.target).toMatch(
      /^cpu_cycles$|^cpu_clock instead of cpu_cycles, which this machine does not count$/,
    )
    sys.close(program.fd)
  })

  it.each([
    ['cgroup_skb', 'cgroup_inet_egress', 'getent hosts 127.0.0.1; printf x > /dev/udp/127.0.0.1/9'],
    ['cgroup_sock', 'cgroup_inet_sock_create', 'printf x > /dev/udp/127.0.0.1/9'],
    ['cgroup_sock_addr', 'cgroup_inet4_connect', 'printf x > /dev/udp/127.0.0.1/9'],
    ['cgroup_device', 'cgroup_device', 'cat /dev/null'],
    ['cgroup_sysctl', 'cgroup_sysctl', 'cat /proc/sys/kernel/ostype'],
  ] as const)(
    'cgroup: %s (%s), with a link and without',
    async (type: ProgTypeName, attachType: AttachTypeName, script) => {
      await inCgroup(async (path, run) => {
        const shell = `bash -c '${script}' > /dev/null 2>&1 || true`
        for (const door of [sys, withoutLinks]) {
          await expectRuns(
            { type, attachType, returns: 1 },
            (program) => {
              const link = attachCgroup(door, program, attachType, path)
              expect(link.outlivesProcess).toBe(door !== sys)
              return link
            },
            () => {
              run(shell)
            },
          )
        }
      })
    },
  )

  it('finds cgroups below the mount, wherever that is', async () => {
    await inCgroup((path) => {
      const program = loadProgram(sys, { type: 'cgroup_device', attachType: 'cgroup_device', returns: 1 })
      using link = attachCgroup(
        sys,
        program,
        'cgroup_device',
        path.slice((cgroup2Mount(sys) ?? '').length + 1),
      )
      expect(link.info().type).toBe('cgroup')
      expect(() => attachCgroup(sys, program, 'cgroup_device', 'no/such')).toThrow(
        expect.objectContaining({ code: 'LINK_OPEN' }),
      )
      sys.close(program.fd)
      return Promise.resolve()
    })
  })

  it('iterators print, each time anew', () => {
    const target = kernelBtf().find('bpf_iter_task', 'func')
    const program = loadProgram(sys, {
      type: 'tracing',
      attachType: 'trace_iter',
      attachBtfId: target?.id ?? 0,
    })
    using link = attachIterator(sys, program, 'task')
    expect(link.info()).toMatchObject({ kind: 'iterator', type: 'iter' })
    // The program prints nothing; reading runs it for each task to the end.
    expect([...readIterator(sys, link)]).toEqual([])
    expect([...readIterator(sys, link)]).toEqual([])
    using one = attachIterator(sys, program, 'task', { task: { pid: process.pid } })
    expect([...readIterator(sys, one)]).toEqual([])
    sys.close(program.fd)
  })

  it('typed tracepoints, by both commands', async () => {
    const target = kernelBtf().find('btf_trace_sys_enter', 'typedef')
    for (const door of [sys, withoutLinks]) {
      await expectRuns(
        { type: 'tracing', attachType: 'trace_raw_tp', attachBtfId: target?.id ?? 0 },
        (program) => attachTracing(door, program, 'trace_raw_tp', 'sys_enter'),
        () => {
          readFileSync('/proc/self/stat')
        },
      )
    }
  })

  it('a socket filter', async () => {
    const program = loadProgram(sys, { type: 'socket_filter', returns: 1 })
    const socket = sys.socket(2, 2, 0)
    const link = attachSocketFilter(sys, program, socket)
    expect(link.info()).toMatchObject({ kind: 'socket_filter', id: undefined })
    link.update(program)
    expect(() => {
      link.pin('/sys/fs/bpf/x')
    }).toThrow(expect.objectContaining({ code: 'LINK_NO_PIN' }))
    link.detach()
    expect(() => attachSocketFilter(sys, program, 99_999)).toThrow(
      expect.objectContaining({ code: 'LINK_REFUSED' }),
    )
    sys.close(socket)
    sys.close(program.fd)
    await packet()
  })

  it('says what a kernel without kprobes lacks', () => {
    const program = loadProgram(sys, { type: 'kprobe' })
    let code = 'nothing'
    try {
      attachKprobe(sys, program, 'do_unlinkat').detach()
    } catch (error) {
      code = (error as { code: string }).code
    }
    const has = readFileSync('/proc/self/stat').length > 0 && code === 'nothing'
    expect(has ? 'nothing' : code).toBe(has ? 'nothing' : 'LINK_NO_PROBES')
    sys.close(program.fd)
  })
})
