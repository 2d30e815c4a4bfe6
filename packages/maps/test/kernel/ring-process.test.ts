import { once } from 'node:events'
import { requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { describe, expect, it } from 'vitest'
import { wanted } from './child/ring-load.ts'
import type { Rings } from './child/rings.ts'

const gate = requires({ root: true, kernel: [6, 1], reason: 'ring buffers, also of user space' })

describe.skipIf(gate.skip)(gate.title('ring buffers of a process'), () => {
  it(
    'outlive nobody who holds them, and lose nothing, in a Worker as well',
    { timeout: 150_000 },
    async () => {
      const child = startChild(new URL('./child/rings.ts', import.meta.url))
      const ended = once(child, 'exit')
      const { lives, load, wake } = await firstLine<Rings>(child)
      // By itself, and not by a signal.
      expect(await ended).toEqual([0, null])

      for (const { mapped, read, errors } of lives) {
        expect(mapped).toEqual([42, 2])
        expect(read).toBe(5)
        expect(errors).toEqual([
          'RING_RECORD_ENDED',
          'RING_RECORD_ENDED',
          'RING_DISPOSED',
          'RING_DISPOSED',
          'RING_DISPOSED',
          'TypeError',
          'RING_DISPOSED',
          '0, no error',
        ])
      }
      expect(load.received + load.dropped).toBe(load.produced)
      expect(load.missing).toBeLessThanOrEqual(load.dropped)
      expect([load.produced, load.dropped > 0, load.pauses > 0]).toEqual([wanted.load, true, true])
      expect(wake).toMatchObject({ produced: wanted.wake, received: wanted.wake, dropped: 0 })
    },
  )
})
