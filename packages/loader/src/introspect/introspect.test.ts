import { fakeSys, failure } from '@tsbpf/sys'
import { linkInfo as head, linkInfoArms, linkTypes, perfEventTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import {
  attachedAt,
  kernelBtfs,
  kernelLink,
  kernelMap,
  kernelPrograms,
  linkInfo,
  runStatistics,
  taskFdQuery,
} from '../index.ts'

const unprivileged = {
  '/proc/self/status': 'CapEff:\t0000000000000000\n',
  '/proc/self/uid_map': '0 0 4294967295\n',
}

describe('introspection', () => {
  it('says which capability a refusal wants', () => {
    const EPERM = failure('EPERM')
    const bpf = {
      prog_get_next_id: EPERM,
      btf_get_next_id: EPERM,
      map_get_fd_by_id: EPERM,
      link_get_fd_by_id: EPERM,
      enable_stats: EPERM,
      task_fd_query: EPERM,
      prog_query: EPERM,
    }
    const sys = fakeSys({ bpf, files: { ...unprivileged, '/sys/fs/cgroup': '' } })
    for (const ask of [
      () => [...kernelPrograms(sys)],
      () => [...kernelBtfs(sys)],
      () => kernelMap(sys, 3),
      () => kernelLink(sys, 3),
      () => runStatistics(sys),
      () => taskFdQuery(sys, 1, 2),
    ]) {
      const context = expect.objectContaining({ errno: 'EPERM', missing: ['CAP_SYS_ADMIN'] }) as object
      expect(ask).toThrow(expect.objectContaining({ code: 'LOADER_LISTING', context }) as Error)
    }
    const context = expect.objectContaining({ missing: ['CAP_NET_ADMIN'] }) as object
    expect(() => attachedAt(sys, { cgroup: '/sys/fs/cgroup' })).toThrow(
      expect.objectContaining({ code: 'LOADER_LISTING', context }) as Error,
    )
    expect(sys.open.size).toBe(0)
    const gone = fakeSys({ bpf: { map_get_fd_by_id: failure('ENOENT') } })
    expect(kernelMap(gone, 3)).toBeUndefined()
    const broken = fakeSys({ bpf: { map_get_fd_by_id: failure('EMFILE') } })
    expect(() => kernelMap(broken, 3)).toThrow(expect.objectContaining({ code: 'SYS_CALL_FAILED' }) as Error)
  })

  it('reads the part of a link that its type uses, and texts and arrays behind pointers', () => {
    const answer = (
      type: string,
      fields: Readonly<Record<string, number | bigint>>,
      behind: Readonly<Record<string, Uint8Array>>,
    ) =>
      linkInfo(
        fakeSys({
          bpf: {
            obj_get_info_by_fd: ({ pointers }) => {
              const [info] = pointers
              if (info === undefined) return failure('EFAULT')
              const arm = linkInfoArms[type as 'perf_event']
              const view = new DataView(info.buffer.buffer)
              head.write(view, 0, { type: linkTypes.value(type as 'perf_event'), id: 5, prog_id: 6 }, true)
              for (const [name, value] of Object.entries(fields)) {
                const at = arm.offsets[name as 'type']
                if (typeof value === 'bigint') view.setBigUint64(at, value, true)
                else view.setUint32(at, value, true)
              }
              for (const { at, buffer } of info.pointers ?? []) {
                const [name = ''] =
                  Object.entries(arm.offsets).find(([key, offset]) => offset === at && key in behind) ?? []
                buffer.set(behind[name] ?? new Uint8Array(0))
              }
              return 0
            },
          },
        }),
        9,
      )
    const text = (value: string): Uint8Array => new TextEncoder().encode(value)
    const perf = {
      type: perfEventTypes.value('kprobe'),
      'kprobe.name_len': 9,
      'kprobe.offset': 4,
      'kprobe.addr': 1n << 63n,
    }
    expect(answer('perf_event', perf, { 'kprobe.func_name': text('vfs_read') })).toEqual({
      id: 5,
      type: 'perf_event',
      progId: 6,
      details: new Map<string, unknown>([
        ['type', 'kprobe'],
        ['func_name', 'vfs_read'],
        ['offset', 4],
        ['addr', 1n << 63n],
        ['missed', 0n],
        ['cookie', 0n],
      ]),
    })
    const addresses = new Uint8Array(new BigUint64Array([7n, 1n << 63n]).buffer)
    const multi = answer('kprobe_multi', { count: 2, flags: 1 }, { addrs: addresses })
    expect([...multi.details]).toEqual([
      ['addrs', [7n, 1n << 63n]],
      ['count', 2],
      ['flags', 1],
      ['missed', 0n],
      ['cookies', [0n, 0n]],
    ])
    expect([...answer('iter', { 'map.map_id': 12 }, { target_name: text('bpf_map_elem') }).details]).toEqual([
      ['target_name', 'bpf_map_elem'],
      ['map_id', 12],
    ])
  })
})
