import { commands, errnos, mapFlags, mapTypes } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Descriptors } from '@tsbpf/testkit'
import { createMap, openMap, possibleCpus } from '../../src/index.ts'
import type { BpfMap, ElementCodec, MapShape } from '../../src/index.ts'

const gate = requires({ root: true, reason: 'creates maps' })

const u32: ElementCodec<number> = {
  size: 4,
  decode: (view, at) => view.getUint32(at, true),
  encodeInto: (value, bytes, at) => new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true),
}
const u64: ElementCodec<bigint> = {
  size: 8,
  decode: (view, at) => view.getBigUint64(at, true),
  encodeInto: (value, bytes, at) =>
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, value, true),
}

function shape(type: MapTypeName, over: Partial<MapShape> = {}): MapShape {
  const base = {
    name: `test_${type}`,
    kernelName: 'test',
    keySize: 4,
    valueSize: 8,
    maxEntries: 100,
    flags: 0,
  }
  return { ...base, type, typeValue: mapTypes.value(type), ...over }
}

function typed(type: MapTypeName, over: Partial<MapShape> = {}, sys = nativeSys()): BpfMap<number, bigint> {
  return createMap(sys, shape(type, over), { codecs: { key: u32, value: u64 } })
}

/** The running kernel as if it were older than 5.6. */
function withoutBatches(): Sys {
  const sys = nativeSys()
  const einval = -errnos.value('EINVAL')
  return {
    ...sys,
    bpf: (cmd, attr, pointers) =>
      cmd === commands.value('map_lookup_batch') ? einval : sys.bpf(cmd, attr, pointers),
  }
}

describe.skipIf(gate.skip)(gate.title('BpfMap on the kernel'), () => {
  let before: Descriptors = new Map()
  beforeEach(() => {
    nativeSys()
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  for (const type of ['hash', 'lru_hash'] as const) {
    it(`gets, sets, deletes and walks: ${type}`, () => {
      using map = typed(type)
      expect(map.get(1)).toBeUndefined()
      expect(map.has(1)).toBe(false)
      map.set(1, 10n).set(2, 20n)
      expect(map.get(1)).toBe(10n)
      expect(map.has(2)).toBe(true)
      map.set(1, 11n)
      expect(new Map(map)).toEqual(
        new Map([
          [1, 11n],
          [2, 20n],
        ]),
      )
      expect([...map.keys()].sort()).toEqual([1, 2])
      expect([...map.values()].sort()).toEqual([11n, 20n])
      expect(map.count()).toBe(2)
      expect(map.size).toBeUndefined()
      expect(map.delete(1)).toBe(true)
      expect(map.delete(1)).toBe(false)
      expect([...map]).toEqual([[2, 20n]])
    })
  }

  it('walks an empty hash', () => {
    using map = typed('hash')
    expect([...map]).toEqual([])
    expect(map.count()).toBe(0)
  })

  it('has every index of an array', () => {
    using map = typed('array', { maxEntries: 3 })
    expect(map.size).toBe(3)
    map.set(2, 7n)
    expect([...map]).toEqual([
      [0, 0n],
      [1, 0n],
      [2, 7n],
    ])
    expect(map.get(3)).toBeUndefined()
    expect(() => map.set(3, 1n)).toThrow(expect.objectContaining({ code: 'MAP_INDEX_OUT_OF_RANGE' }))
    expect(() => map.delete(0)).toThrow(expect.objectContaining({ code: 'MAP_UNSUPPORTED_OPERATION' }))
  })

  for (const type of ['percpu_hash', 'percpu_array', 'lru_percpu_hash'] as const) {
    it(`has a value for each processor: ${type}`, () => {
      const cpus = possibleCpus(nativeSys())
      using map = createMap<number, readonly number[]>(
        nativeSys(),
        shape(type, { valueSize: 4, maxEntries: 16 }),
        {
          codecs: { key: u32, value: u32 },
        },
      )
      const values = Array.from({ length: cpus }, (_, cpu) => cpu + 1)
      map.set(3, values)
      expect(map.get(3)).toEqual(values)
      expect(new Map(map).get(3)).toEqual(values)
      expect(() => map.set(3, [1, 2, 3, 4, 5, 6, 7, 8, 9].slice(0, cpus + 1))).toThrow(
        expect.objectContaining({ code: 'MAP_VALUE' }),
      )
    })
  }

  it('matches prefixes in an LPM trie', () => {
    using map = createMap<Uint8Array, bigint>(
      nativeSys(),
      shape('lpm_trie', { keySize: 8, flags: mapFlags.value('no_prealloc') }),
      { codecs: { value: u64 } },
    )
    map.set(new Uint8Array([8, 0, 0, 0, 10, 0, 0, 0]), 8n)
    map.set(new Uint8Array([16, 0, 0, 0, 10, 1, 0, 0]), 16n)
    expect(map.get(new Uint8Array([32, 0, 0, 0, 10, 1, 2, 3]))).toBe(16n)
    expect(map.get(new Uint8Array([32, 0, 0, 0, 10, 9, 2, 3]))).toBe(8n)
    expect([...map.values()].sort()).toEqual([16n, 8n])
  })

  it('obeys noexist and exist', () => {
    using map = typed('hash')
    expect(() => map.set(1, 1n, { flags: 'exist' })).toThrow(
      expect.objectContaining({ code: 'MAP_NO_ENTRY' }),
    )
    map.set(1, 1n, { flags: 'noexist' })
    expect(() => map.set(1, 1n, { flags: 'noexist' })).toThrow(
      expect.objectContaining({ code: 'MAP_ENTRY_EXISTS', message: 'map test_hash: key 1 is already there' }),
    )
  })

  it('says when it is full', () => {
    using map = typed('hash', { maxEntries: 2 })
    map.set(1, 1n).set(2, 2n)
    expect(() => map.set(3, 3n)).toThrow(expect.objectContaining({ code: 'MAP_FULL' }))
  })

  it('says when it is frozen', () => {
    using map = typed('array', { maxEntries: 1 })
    map.freeze()
    expect(map.get(0)).toBe(0n)
    expect(() => map.set(0, 1n)).toThrow(expect.objectContaining({ code: 'MAP_READ_ONLY' }))
  })

  it('reads every entry once while entries are deleted in the loop', () => {
    using map = typed('hash', { maxEntries: 20_000 })
    for (let i = 0; i < 10_000; i++) map.set(i, BigInt(i))
    const seen = new Set<number>()
    for (const [key, value] of map) {
      expect(BigInt(key)).toBe(value)
      expect(seen.has(key)).toBe(false)
      seen.add(key)
      map.delete(key)
    }
    expect(seen.size).toBe(10_000)
    expect(map.count()).toBe(0)
  })

  it('walks without batches', () => {
    using array = typed('array', { maxEntries: 3 }, withoutBatches())
    array.set(1, 5n)
    expect([...array.values()]).toEqual([0n, 5n, 0n])
    using hash = typed('hash', { maxEntries: 1000 }, withoutBatches())
    expect([...hash]).toEqual([])
    for (let i = 0; i < 1000; i++) hash.set(i, BigInt(i))
    const seen = new Set<number>()
    for (const [key, value] of hash) {
      expect(BigInt(key)).toBe(value)
      seen.add(key)
      // Other operations of the same map do not disturb the walk.
      hash.set(key, 0n)
      hash.delete(key)
    }
    expect(seen.size).toBe(1000)
    expect(hash.count()).toBe(0)
  })

  it('goes on without batches where its place is gone, and says where it would begin again', () => {
    using hash = typed('hash', { maxEntries: 2000 }, withoutBatches())
    for (let i = 0; i < 1000; i++) hash.set(i, BigInt(i))
    const order = [...hash.keys()]
    const walk = (gone: readonly number[]): number[] => {
      const seen: number[] = []
      try {
        for (const key of hash.keys()) {
          if (seen.length === 0) for (const other of gone) hash.delete(other)
          seen.push(key)
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'MAP_ITERATION_CUT_SHORT', context: { seen: seen.length } })
        seen.push(-1)
      }
      return seen
    }
    // Where the walk goes on after its first buffers is gone, and everything before it: nothing comes twice.
    expect(walk(order.slice(0, 300))).toEqual([...order.slice(0, 256), ...order.slice(300)])
    // Where it goes on is gone alone: the kernel begins again, with what has been seen.
    const rest = [...hash.keys()]
    expect(walk(rest.slice(256, 257))).toEqual([...rest.slice(0, 256), -1])
  })

  it('grows its buffers for a full bucket', () => {
    // One entry a batch to begin with: keys and values of this size fill the budget.
    using map = createMap(nativeSys(), shape('hash', { keySize: 4, valueSize: 200_000, maxEntries: 40 }))
    for (let i = 0; i < 40; i++) map.set(new Uint8Array([i, 0, 0, 0]), new Uint8Array(200_000).fill(i))
    const seen = [...map].map(([key, value]) => [key[0], value[199_999]])
    expect(seen.length).toBe(40)
    for (const [key, value] of seen) expect(value).toBe(key)
  })

  it('tells what the kernel knows and opens by descriptor', () => {
    using map = typed('hash')
    expect(map.info()).toMatchObject({
      type: 'hash',
      name: 'test',
      keySize: 4,
      valueSize: 8,
      maxEntries: 100,
    })
    const mistaken = nativeSys().openat(-100, '/dev/null', 0)
    expect(() => openMap(nativeSys(), { fd: mistaken })).toThrow(
      expect.objectContaining({ code: 'MAP_INFO' }),
    )
    nativeSys().close(mistaken)
  })

  it('refuses use after dispose', () => {
    const map = typed('hash')
    map.set(1, 1n)
    const walk = map.entries()
    walk.next()
    map.dispose()
    map.dispose()
    for (const use of [
      () => map.get(1),
      () => map.set(1, 1n),
      () => [...map],
      () => map.info(),
      () => map.fd,
    ]) {
      expect(use).toThrow(expect.objectContaining({ code: 'MAP_DISPOSED' }))
    }
  })

  it('names what the kernel would not create', () => {
    expect(() => typed('hash', { maxEntries: 0 })).toThrow(
      expect.objectContaining({
        code: 'MAP_CREATE',
        message:
          'cannot create map test_hash (hash, key 4 bytes, value 8 bytes, 0 entries, flags 0x0): EINVAL',
      }),
    )
  })
})
