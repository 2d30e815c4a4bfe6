import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'

const gate = requires({ root: true, kernel: [5, 8], reason: 'reads a ring buffer' })

interface Event {
  readonly number: bigint
  readonly tgid: number
  readonly comm: string
}

describe.skipIf(gate.skip)(gate.title('a ring buffer of an object'), () => {
  it('gives records as values of a type of the object', async () => {
    await leavesNothing(async () => {
      using bpf = loadSync(objectSpec('ring'), { rodata: { only_tgid: process.pid } })
      bpf.attach()
      readFileSync('/proc/self/stat')
      const seen: Event[] = []
      for await (const event of bpf.ringBuffer<Event>('events', { type: 'event' })) {
        seen.push(event)
        if (seen.length === 5) break
      }
      expect(seen.map(({ number }) => number)).toEqual([0n, 1n, 2n, 3n, 4n])
      expect(new Set(seen.map(({ tgid }) => tgid))).toEqual(new Set([process.pid]))
    })
  })

  it('gives bytes, and refuses names that are not there', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('ring'), { rodata: { only_tgid: process.pid } })
      bpf.attach()
      readFileSync('/proc/self/stat')
      const [first] = bpf.ringBuffer<Uint8Array>('events').read(1)
      expect(first).toHaveLength(32)
      expect(() => bpf.ringBuffer('events', { type: 'evnt' })).toThrow(
        expect.objectContaining({ code: 'BTF_NO_TYPE' }),
      )
      using bare = loadSync({ ...objectSpec('ring'), btf: undefined })
      expect(() => bare.ringBuffer('events', { type: 'event' })).toThrow(
        expect.objectContaining({ code: 'LOADER_NO_TYPES' }),
      )
      expect(() => bpf.ringBuffer('nothing')).toThrow(expect.objectContaining({ code: 'LOADER_UNKNOWN_MAP' }))
    })
  })

  it('decodes by the type that the map is defined with, and samples of a perf event array by name', async () => {
    await leavesNothing(async () => {
      using bpf = loadSync(objectSpec('events'))
      const samples = bpf.perfBuffer<Event>('samples', { type: 'event' })
      bpf.attach()
      getPriority()
      getPriority()
      await new Promise((resolve) => setImmediate(resolve))
      const own = ({ tgid }: Event): boolean => tgid === process.pid
      const records = bpf.ringBuffer<Event>('typed').read().filter(own)
      expect(records).toHaveLength(2)
      expect(records[0]).toEqual({ number: 0n, tgid: process.pid, comm: expect.any(String) as string })
      const byNumber = (a: Event, b: Event): number => Number(a.number - b.number)
      expect(samples.read().filter(own).sort(byNumber)).toEqual(records)
      expect(bpf.ringBuffer('untyped').read()).toContainEqual(
        new Uint8Array(new Uint32Array([process.pid]).buffer),
      )
    })
  })
})
