import { progTypes, sections } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { parseSectionName } from './index.ts'

describe('parseSectionName', () => {
  it.each([
    ['tracepoint/raw_syscalls/sys_enter', 'tracepoint', undefined, 'raw_syscalls/sys_enter'],
    ['tp/sched/sched_switch', 'tracepoint', undefined, 'sched/sched_switch'],
    ['kprobe', 'kprobe', undefined, undefined],
    ['kprobe/', 'kprobe', undefined, undefined],
    ['xdp', 'xdp', 'xdp', undefined],
    ['xdp/devmap', 'xdp', 'xdp_devmap', undefined],
    ['cgroup/connect4', 'cgroup_sock_addr', 'cgroup_inet4_connect', undefined],
    ['cgroup_skb/ingress', 'cgroup_skb', 'cgroup_inet_ingress', undefined],
    ['iter.s/task', 'tracing', 'trace_iter', 'task'],
    ['struct_ops/init', 'struct_ops', undefined, 'init'],
    ['uprobe.multi//usr/lib/libc.so.6:malloc', 'kprobe', 'trace_uprobe_multi', '/usr/lib/libc.so.6:malloc'],
    ['tracepoints/a/b', undefined, undefined, undefined],
    ['socket/3', undefined, undefined, undefined],
    ['my own', undefined, undefined, undefined],
    ['', undefined, undefined, undefined],
  ])('reads %s', (name, type, attachType, attachTo) => {
    expect(parseSectionName(name)).toMatchObject({
      section: name,
      type,
      attachType,
      attachTo,
      autoload: true,
    })
  })

  it('takes the ? off and switches autoload off', () => {
    expect(parseSectionName('?lsm.s/file_open')).toMatchObject({
      section: 'lsm.s/file_open',
      type: 'lsm',
      attachTo: 'file_open',
      sleepable: true,
      autoload: false,
    })
    expect(parseSectionName('?nothing known')).toMatchObject({ type: undefined, autoload: false })
  })

  it('carries the flags that the name asks for', () => {
    expect(parseSectionName('xdp.frags').flags).toBe(32) // BPF_F_XDP_HAS_FRAGS
    expect(parseSectionName('fentry.s/x').flags).toBe(16) // BPF_F_SLEEPABLE
    expect(parseSectionName('fentry/x').flags).toBe(0)
  })

  it.each(sections.map((row) => [row.prefix, row] as const))('finds the row of %s', (prefix, row) => {
    const name = row.match === 'required' ? `${prefix}/x` : prefix
    expect(parseSectionName(name)).toMatchObject({ type: row.progType, attachType: row.attachType })
    expect(progTypes.byName(row.progType)).toBeDefined()
  })
})
