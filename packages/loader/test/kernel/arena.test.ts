import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { load, loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'

const gate = requires({ root: true, kernel: [6, 9], reason: 'makes arenas' })

describe.skipIf(gate.skip)(gate.title('arenas'), () => {
  it('have the variables of the object, shared with its programs', async () => {
    await leavesNothing(async () => {
      await using bpf = await load(objectSpec('arena'), { data: { steps: [1, 20, 3] } })
      const run = (): number =>
        progTestRun(nativeSys(), { prog_fd: bpf.program('add').fd, ctx_in: new Uint8Array(8) }).retval
      expect(bpf.variable('total').get()).toBe(1000n)
      expect(run()).toBe(3)
      expect(bpf.variable('total').get()).toBe(1020n)
      bpf.variable('total').set(5n)
      run()
      expect(bpf.variable('total').get()).toBe(25n)
      expect(new DataView(bpf.arena('memory').buffer).getBigUint64(0, true)).toBe(25n)
      expect(bpf.arena('memory').length).toBe(4 * 4096)
      expect(() => bpf.arena('memori')).toThrow(expect.objectContaining({ code: 'LOADER_UNKNOWN_MAP' }))
    })
  })

  it('take more pages, and an address of their own choice', async () => {
    await leavesNothing(() => {
      const spec = objectSpec('arena')
      const maps = spec.maps.map((map) => (map.type === 'arena' ? { ...map, extra: 1n << 44n } : map))
      using bpf = loadSync({ ...spec, maps }, { maxEntries: { memory: 9 } })
      expect(bpf.arena('memory').length).toBe(9 * 4096)
      expect(bpf.variable('steps').get()).toEqual([1, 2, 3])
    })
  })
})
