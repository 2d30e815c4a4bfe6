import { fakeSys } from '@tsbpf/sys'
import type { FakeSys } from '@tsbpf/sys'
import { attachFlags } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { attachCgroup, cgroup2Mount } from './index.ts'

const v1 = '30 24 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n'
const mounts = (...lines: readonly string[]): FakeSys =>
  fakeSys({ files: { '/proc/self/mountinfo': [v1, ...lines].join('') } })

describe('cgroup2Mount', () => {
  it.each([
    ['alone', '31 24 0:27 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n', '/sys/fs/cgroup'],
    [
      'beside the old controllers',
      '31 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n',
      '/sys/fs/cgroup/unified',
    ],
    ['at a path with a space', '31 24 0:27 / /mnt/c\\040group rw - cgroup2 none rw\n', '/mnt/c group'],
    ['nowhere', '31 24 0:27 / /cgroup2 rw - tmpfs cgroup2 rw\n', undefined],
  ])('is found: %s', (_, line, path) => {
    expect(cgroup2Mount(mounts(line))).toBe(path)
  })

  it('is missing', () => {
    expect(() => attachCgroup(mounts(), { fd: 7, name: 'guard' }, 'cgroup_device', 'a.slice')).toThrow(
      expect.objectContaining({ code: 'LINK_NO_CGROUP2' }),
    )
  })
})

describe('a cgroup of a kernel without links', () => {
  const program = { fd: 7, name: 'guard' }
  const old = (detach: number): FakeSys =>
    fakeSys({ files: { '/c': '' }, bpf: { prog_attach: 0, prog_detach: detach } })
  const used = (sys: FakeSys): readonly (string | undefined)[] =>
    sys.recorded.flatMap(({ command }) => (command?.startsWith('prog_') === true ? [command] : []))

  it('is attached to beside others, and detached from when the process ends', () => {
    const sys = old(0)
    const link = attachCgroup(sys, program, 'cgroup_device', '/c')
    expect(link.outlivesProcess).toBe(true)
    const attached = sys.recorded.find(({ command }) => command === 'prog_attach')?.arguments[1] as Uint8Array
    expect(new DataView(attached.buffer).getUint32(12, true)).toBe(attachFlags.value('allow_multi'))
    expect([sys.end(), used(sys).at(-1), sys.open.size]).toEqual([1, 'prog_detach', 0])
  })

  it('is no trouble where others have detached the program, and is where the kernel refuses', () => {
    const gone = old(-2)
    attachCgroup(gone, program, 'cgroup_device', '/c').detach()
    expect(gone.open.size).toBe(0)
    const refused = old(-1)
    expect(() => {
      attachCgroup(refused, program, 'cgroup_device', '/c').detach()
    }).toThrow(expect.objectContaining({ code: 'SYS_CALL_FAILED' }))
    expect(refused.open.size).toBe(0)
  })
})
