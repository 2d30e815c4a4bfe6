import { mapFlags } from '@tsbpf/uapi'
import { expect } from 'vitest'
import { createMap, ipv4PrefixCodec, ipv6PrefixCodec, possibleCpus } from '../../src/index.ts'
import { describeFamily, unsupported } from '../support/families.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

describeFamily('collections', ({ sys, type }) => {
  for (const name of ['hash', 'lru_hash', 'percpu_hash', 'lru_percpu_hash'] as const) {
    type(name, () => {
      const perCpu = name.includes('percpu')
      const cpus = possibleCpus(sys)
      const value = (n: number): unknown =>
        perCpu ? Array.from({ length: cpus }, () => BigInt(n)) : BigInt(n)
      using map = createMap<number, unknown>(sys, shape(name), { codecs: { key: u32, value: u64 } })
      map.set(1, value(1)).set(2, value(2))
      expect(map.get(1)).toEqual(value(1))
      expect(map.lookupAndDelete(1)).toEqual(value(1))
      expect(map.lookupAndDelete(1)).toBeUndefined()
      expect([...map]).toEqual([[2, value(2)]])
      expect(map.setMany([3, 4, 5].map((n) => [n, value(n)]))).toBe(3)
      expect(map.getMany([3, 9, 5])).toEqual([value(3), undefined, value(5)])
      expect(map.deleteMany([9, 3, 8, 2, 7])).toBe(2)
      expect(new Map(map.lookupAndDeleteMany())).toEqual(new Map([4, 5].map((n) => [n, value(n)])))
      expect(map.count()).toBe(0)
      expect(() => map.push(value(1))).toThrow(unsupported)
    })
  }

  for (const name of ['array', 'percpu_array'] as const) {
    type(name, () => {
      const cpus = possibleCpus(sys)
      const value = (n: bigint): unknown => (name === 'array' ? n : Array.from({ length: cpus }, () => n))
      using map = createMap<number, unknown>(sys, shape(name, { maxEntries: 3 }), {
        codecs: { key: u32, value: u64 },
      })
      expect(map.setMany([0, 2].map((n) => [n, value(7n)]))).toBe(2)
      expect([...map]).toEqual([
        [0, value(7n)],
        [1, value(0n)],
        [2, value(7n)],
      ])
      expect(map.getMany([2, 3])).toEqual([value(7n), undefined])
      expect(() => map.deleteMany([1])).toThrow(unsupported)
      expect(() => map.lookupAndDelete(1)).toThrow(unsupported)
    })
  }

  type('lpm_trie', () => {
    const over = { keySize: 8, valueSize: 4, flags: mapFlags.value('no_prealloc') }
    using map = createMap<string, number>(sys, shape('lpm_trie', over), {
      codecs: { key: ipv4PrefixCodec, value: u32 },
    })
    map.set('10.0.0.0/8', 8)
    expect(
      map.setMany([
        ['10.1.0.0/16', 16],
        ['0.0.0.0/0', 0],
      ]),
    ).toBe(2)
    expect(map.getMany(['10.1.2.3', '10.9.9.9', '192.0.2.1'])).toEqual([16, 8, 0])
    expect(map.toMap()).toEqual(
      new Map([
        ['10.1.0.0/16', 16],
        ['10.0.0.0/8', 8],
        ['0.0.0.0/0', 0],
      ]),
    )
    expect(map.delete('10.1.0.0/16')).toBe(true)
    expect(map.get('10.1.2.3')).toBe(8)
    expect(map.lookupAndDeleteMany().length).toBe(2)
    expect(map.deleteMany(['10.0.0.0/8'])).toBe(0)
    using six = createMap<string, number>(sys, shape('lpm_trie', { ...over, keySize: 20 }), {
      codecs: { key: ipv6PrefixCodec, value: u32 },
    })
    six.set('2001:db8::/32', 32).set('2001:db8:1::/48', 48)
    expect([six.get('2001:db8::1'), six.get('2001:db8:1::1'), six.get('::1')]).toEqual([32, 48, undefined])
    expect([...six.keys()].sort()).toEqual(['2001:db8:1::/48', '2001:db8::/32'])
  })
})
