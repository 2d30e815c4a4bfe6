import { readFileSync } from 'node:fs'
import { enableStats, objectIds, progGetInfo, progLoad } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { commands, errnos, progTypes } from '@tsbpf/uapi'
import type { ProgTypeName } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { attachRawTracepoint, attachTracepoint } from '../../src/index.ts'
import type { Link } from '../../src/index.ts'

const gate = requires({ root: true, kernel: [5, 8], reason: 'attaches programs and counts their runs' })

/** r0 = 0; exit */
const nothing = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0)

/** Runs of a program that does nothing, while it is attached, and after it was detached. */
function runs(
  type: ProgTypeName,
  attach: (program: { fd: number; name: string }) => Link,
): readonly [number, number] {
  const sys = nativeSys()
  const before = descriptors()
  const stats = enableStats(sys)
  const { fd } = progLoad(sys, { prog_type: progTypes.value(type), insns: nothing, license: 'GPL' })
  const count = (): number => Number(progGetInfo(sys, fd).info.run_cnt)
  const work = (): void => {
    for (let i = 0; i < 20; i++) readFileSync('/proc/self/stat')
  }
  const link = attach({ fd, name: 'nothing' })
  work()
  link.detach()
  const attached = count()
  work()
  const after = count() - attached
  sys.close(fd)
  sys.close(stats)
  expectNoLeak(before, descriptors())
  return [attached, after]
}

/** The running kernel as if it were older than 5.15. */
function withoutLinks(): Sys {
  const sys = nativeSys()
  const refused = -errnos.value('EINVAL')
  return {
    ...sys,
    bpf: (cmd, attr, pointers) =>
      cmd === commands.value('link_create') ? refused : sys.bpf(cmd, attr, pointers),
  }
}

describe.skipIf(gate.skip)(gate.title('attaching on the kernel'), () => {
  it('runs a program at a tracepoint until it is detached', () => {
    const [attached, after] = runs('tracepoint', (program) => {
      const link = attachTracepoint(nativeSys(), program, 'raw_syscalls/sys_enter')
      expect(link.info()).toMatchObject({ kind: 'tracepoint', type: 'perf_event' })
      expect([...objectIds(nativeSys(), 'link')]).toContain(link.info().id)
      return link
    })
    expect(attached).toBeGreaterThan(20)
    expect(after).toBe(0)
  })

  it('does so without links, as on older kernels', () => {
    const [attached, after] = runs('tracepoint', (program) =>
      attachTracepoint(withoutLinks(), program, 'raw_syscalls/sys_enter'),
    )
    expect(attached).toBeGreaterThan(20)
    expect(after).toBe(0)
  })

  it('runs a program at a raw tracepoint until it is detached', () => {
    const [attached, after] = runs('raw_tracepoint', (program) =>
      attachRawTracepoint(nativeSys(), program, 'sys_enter'),
    )
    expect(attached).toBeGreaterThan(20)
    expect(after).toBe(0)
  })

  it('suggests names from tracefs', () => {
    expect(() => attachTracepoint(nativeSys(), { fd: 0, name: 'wrong' }, 'raw_syscalls/sys_entr')).toThrow(
      expect.objectContaining({
        code: 'LINK_UNKNOWN_TRACEPOINT',
        hint: expect.stringContaining('did you mean raw_syscalls/sys_enter?') as string,
      }),
    )
    runs('raw_tracepoint', (program) => {
      expect(() => attachRawTracepoint(nativeSys(), program, 'no_such_event')).toThrow(
        expect.objectContaining({ code: 'LINK_UNKNOWN_TRACEPOINT' }),
      )
      return attachRawTracepoint(nativeSys(), program, 'sys_enter')
    })
  })
})
