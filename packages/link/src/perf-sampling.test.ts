import { fakeSys, failure } from '@tsbpf/sys'
import type { FakeSys } from '@tsbpf/sys'
import {
  perfEventAttr,
  perfEventAttrFlags,
  perfHardwareEvents,
  perfSoftwareEvents,
  perfTypes,
} from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { attachPerfSampling } from './index.ts'
import type { PerfSamplingOptions } from './index.ts'

const program = { fd: 7, name: 'profile' }

/** A machine that answers hardware events with `answer`, and what was asked of it. */
function machine(answer: number): { readonly sys: FakeSys; readonly asked: () => readonly unknown[] } {
  const asked: unknown[] = []
  const sys: FakeSys = fakeSys({
    bpf: { link_create: (call) => call.newFd('link') },
    calls: {
      perfEventOpen: (attr, pid, cpu) => {
        const fields = perfEventAttr.readAt(new DataView(attr.buffer), 0, true)
        const { type, config, sample_freq: rate, flags } = fields
        const isFrequency = (flags >> BigInt(perfEventAttrFlags.freq.shift)) & 1n
        asked.push([perfTypes.format(type), Number(config), Number(rate), isFrequency === 1n, pid, cpu])
        return type === perfTypes.value('hardware') ? answer : sys.newFd('perf')
      },
      ioctl: () => 0,
    },
  })
  return { sys, asked: () => asked }
}

const cycles = perfHardwareEvents.value('cpu_cycles')
const clock = perfSoftwareEvents.value('cpu_clock')

describe('attachPerfSampling', () => {
  it.each(['ENOENT', 'EOPNOTSUPP', 'ENODEV'] as const)(
    'takes the clock where there is no counter (%s), at the same rate, and says so',
    (errno) => {
      const { sys, asked } = machine(failure(errno))
      using link = attachPerfSampling(sys, program, 'cpu_cycles', { frequency: 49, pid: 5 })
      expect(link.target).toBe('cpu_clock instead of cpu_cycles, which this machine does not count')
      expect(asked()).toEqual([
        ['hardware', cycles, 49, true, 5, -1],
        ['software', clock, 49, true, 5, -1],
      ])
    },
  )

  it.each<[string, PerfSamplingOptions, readonly unknown[]]>([
    ['99 times a second on processor 0', {}, [99, true, -1, 0]],
    ['every so many events', { period: 1000n, cpu: 2 }, [1000, false, -1, 2]],
  ])('samples %s', (_, options, rest) => {
    const { sys, asked } = machine(0)
    using link = attachPerfSampling(sys, program, 'page_faults', options)
    expect(link.target).toBe('page_faults')
    expect(asked()).toEqual([['software', perfSoftwareEvents.value('page_faults'), ...rest]])
  })

  it('takes no other event where the user may have none, or the event is unknown', () => {
    const { sys, asked } = machine(failure('EACCES'))
    const attempt = (target: string) => () => attachPerfSampling(sys, program, target)
    expect(attempt('cpu_cycles')).toThrow(expect.objectContaining({ code: 'LINK_DENIED' }))
    expect(asked().length).toBe(1)
    expect(attempt('cpu_circles')).toThrow(expect.objectContaining({ code: 'LINK_BAD_TARGET' }))
    expect(sys.open.size).toBe(0)
  })
})
