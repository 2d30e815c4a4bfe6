import { fakeSys } from '@tsbpf/sys'
import type { FakeSys } from '@tsbpf/sys'
import { describe, expect, it } from 'vitest'
import { attachStructOps, attachTracepoint } from './index.ts'
import type { Link } from './index.ts'

/** An attachment that outlives the process: operations of a struct_ops map without a link. */
function outliving(): { readonly sys: FakeSys; readonly link: Link; readonly undone: () => number } {
  const sys = fakeSys({ bpf: { obj_get_info_by_fd: 0, map_update_elem: 0, map_delete_elem: 0 } })
  const link = attachStructOps(sys, { fd: 7, name: 'control' }, new Uint8Array(8))
  const undone = (): number => sys.recorded.filter(({ command }) => command === 'map_delete_elem').length
  return { sys, link, undone }
}

describe('an attachment that outlives the process', () => {
  it('is undone when the process ends', () => {
    const { sys, link, undone } = outliving()
    expect(link.outlivesProcess).toBe(true)
    expect([sys.end(), undone(), link.detached]).toEqual([1, 1, true])
    link.detach()
    expect(undone()).toBe(1)
  })

  it('is undone once', () => {
    const { sys, link, undone } = outliving()
    link.detach()
    expect([undone(), sys.end(), undone()]).toEqual([1, 0, 1])
  })

  it('can be left behind, on demand', () => {
    const { sys, link, undone } = outliving()
    link.leave()
    expect([link.detached, sys.end(), undone()]).toEqual([true, 0, 0])
    expect(() => {
      link.leave()
    }).toThrow(expect.objectContaining({ code: 'LINK_DISPOSED' }))
  })

  it('is no kernel link, which ends with the process', () => {
    const sys: FakeSys = fakeSys({
      files: { '/sys/kernel/tracing': '', events: '', 'events/raw_syscalls/sys_enter/id': '22\n' },
      bpf: { link_create: (call) => call.newFd('link') },
      calls: { perfEventOpen: () => sys.newFd('perf'), ioctl: () => 0 },
    })
    using link = attachTracepoint(sys, { fd: 7, name: 'count' }, 'raw_syscalls/sys_enter')
    expect(link.outlivesProcess).toBe(false)
    expect(() => {
      link.leave()
    }).toThrow(expect.objectContaining({ code: 'LINK_NO_LEAVE' }))
    expect(sys.end()).toBe(0)
    expect(link.detached).toBe(false)
  })
})
