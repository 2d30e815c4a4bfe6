import { setTimeout as delay } from 'node:timers/promises'
import { kernelVersion, requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'
import { runOnPacket } from './test-run.ts'

const gate = requires({ root: true, reason: 'loads programs many times' })

/** bench/loader/cycles.mjs does ten thousand; an emulated machine takes its time. */
const cycles = process.env['TSBPF_VM'] === undefined ? 40 : 10
/** Kernel 6.9. */
const hasArenas = kernelVersion().join('.') !== '6.1'

describe.skipIf(gate.skip)(gate.title('cycles of load, attach, event, detach and dispose'), () => {
  it('leave descriptors, kernel objects and memory where they were', async () => {
    await leavesNothing(async () => {
      const tracepoints = objectSpec('tracepoints')
      const arena = objectSpec('arena')
      const replaced = objectSpec('replaced')
      const cycle = (): void => {
        using bpf = loadSync(tracepoints, {
          rodata: { only_tgid: process.pid },
          programs: ['on_classic', 'on_raw'],
        })
        const links = bpf.attach()
        expect(links.length).toBe(2)
        process.cpuUsage()
        expect(bpf.variable<bigint>('classic').get()).toBeGreaterThan(0n)
        expect(bpf.variable<bigint>('raw').get()).toBeGreaterThan(0n)
        for (const link of links) link.detach()
        if (hasArenas) loadSync(arena).dispose()
        using other = loadSync(replaced)
        expect(runOnPacket(other.program('ask'))).toBe(1)
      }
      for (let i = 0; i < 10; i++) cycle()
      await delay(50)
      const before = process.memoryUsage().rss
      for (let i = 0; i < cycles; i++) cycle()
      // What the engine keeps in its young generation varies by some MB.
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20)
    })
  })
})
