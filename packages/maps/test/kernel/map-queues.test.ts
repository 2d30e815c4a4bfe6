import { mapFlags } from '@tsbpf/uapi'
import { expect } from 'vitest'
import { createMap } from '../../src/index.ts'
import { describeFamily, unsupported } from '../support/families.ts'
import { shape, u64 } from '../support/shapes.ts'

describeFamily('queues', ({ sys, type }) => {
  for (const name of ['queue', 'stack'] as const) {
    type(name, () => {
      using map = createMap<never, bigint>(sys, shape(name, { keySize: 0, maxEntries: 3 }), {
        codecs: { value: u64 },
      })
      expect([map.pop(), map.peek()]).toEqual([undefined, undefined])
      map.push(1n).push(2n).push(3n)
      expect(() => map.push(4n)).toThrow(
        expect.objectContaining({
          code: 'MAP_FULL',
          message: `map test_${name} is full: it has at most 3 entries`,
        }),
      )
      map.push(4n, { overwrite: true })
      expect(map.peek()).toBe(name === 'queue' ? 2n : 4n)
      const rest = [map.pop(), map.pop(), map.pop(), map.pop()]
      expect(rest).toEqual(name === 'queue' ? [2n, 3n, 4n, undefined] : [4n, 3n, 2n, undefined])
      for (const use of [() => map.get(undefined as never), () => [...map], () => map.hasValue(1n)]) {
        expect(use).toThrow(unsupported)
      }
    })
  }

  type('bloom_filter', () => {
    using map = createMap<never, bigint>(sys, shape('bloom_filter', { keySize: 0 }), {
      codecs: { value: u64 },
      extra: 3n,
    })
    map.push(1n).push(2n)
    expect([map.hasValue(1n), map.hasValue(2n)]).toEqual([true, true])
    const wrong = Array.from({ length: 100 }, (_, i) => map.hasValue(BigInt(i + 1000))).filter(Boolean)
    expect(wrong.length).toBeLessThan(50)
    expect(() => map.pop()).toThrow(unsupported)
    expect(() => map.peek()).toThrow(unsupported)
  })

  for (const name of ['ringbuf', 'user_ringbuf'] as const) {
    type(name, () => {
      using map = createMap(sys, shape(name, { keySize: 0, valueSize: 0, maxEntries: 4096 }))
      for (const use of [() => map.get(new Uint8Array(0)), () => map.pop(), () => [...map]]) {
        expect(use).toThrow(unsupported)
      }
    })
  }

  type('arena', () => {
    const flags = mapFlags.value('mmapable')
    using map = createMap(sys, shape('arena', { keySize: 0, valueSize: 0, maxEntries: 4, flags }))
    using memory = map.memory()
    expect(memory.bytes.length).toBe(4 * memory.stride)
    memory.bytes.set([1, 2, 3], memory.stride * 3)
    expect([...memory.bytes.subarray(memory.stride * 3, memory.stride * 3 + 4)]).toEqual([1, 2, 3, 0])
    expect(() => memory.get(0)).toThrow(unsupported)
  })
})
