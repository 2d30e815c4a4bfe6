import { isTsbpfError } from '@tsbpf/base'
import { parseObject } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, mutations, requires } from '@tsbpf/testkit'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { load, loadSync, openKernelBtf } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectBytes } from './objects.ts'
import type { ObjectName } from './objects.ts'

const gate = requires({ root: true, reason: 'loads programs' })
const each = 400
/** For one load; the machine may be busy with other things. */
const milliseconds = 1000

/** Loads and disposes, or fails with a coded error: anything else is thrown. */
function attempt(bytes: Uint8Array, loadIt: (bytes: Uint8Array) => void): boolean {
  try {
    loadIt(bytes)
    return true
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return false
  }
}

describe.skipIf(gate.skip)(gate.title('damaged objects'), () => {
  for (const name of ['tracer', 'tracepoints', 'nested'] as const satisfies readonly ObjectName[]) {
    it(`give a value or a coded error, and leave nothing behind: ${name}`, async () => {
      await leavesNothing(() => {
        using kernel = openKernelBtf(nativeSys())
        const before = descriptors()
        let loaded = 0
        for (const { what, bytes } of mutations(objectBytes(name), 7, each)) {
          const start = cpuTime()
          const ok = attempt(bytes, (damaged) => {
            using bpf = loadSync(parseObject(damaged), { kernelBtf: kernel.btf })
            for (const map of bpf.maps) map.info()
            for (const variable of bpf.variables) variable.get()
          })
          if (ok) loaded++
          expect(cpuTime() - start, what).toBeLessThan(milliseconds)
          expectNoLeak(before, descriptors())
        }
        // Both happen, or this test proves nothing.
        expect(loaded).toBeGreaterThan(each / 50)
        expect(loaded).toBeLessThan(each)
      })
    }, 120_000)
  }

  it('do so on the thread pool, too', async () => {
    await leavesNothing(async () => {
      using kernel = openKernelBtf(nativeSys())
      for (const { bytes } of mutations(objectBytes('tracer'), 11, 50)) {
        try {
          const bpf = await load(parseObject(bytes), { kernelBtf: kernel.btf })
          bpf.dispose()
        } catch (error) {
          if (!isTsbpfError(error)) throw error
        }
      }
    })
  })
})
