import { fakeSys } from '@tsbpf/sys'
import type { FakeBpfCall, FakeSys } from '@tsbpf/sys'
import { errnos, mapElemAttr, mapTypes } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { bytesCodec, createMap, createMapFd, indexCodec, mapFromFd, mapOperations } from './index.ts'
import type { BpfMap, MapShape } from './index.ts'
import { countCpus } from './possible-cpus.ts'
import { showElement } from './show-element.ts'

const fails = (name: Parameters<typeof errnos.value>[0]): number => -errnos.value(name)

function shape(type: MapTypeName, over: Partial<MapShape> = {}): MapShape {
  const base = { name: 'counts', kernelName: 'counts', keySize: 4, valueSize: 8, maxEntries: 10, flags: 0 }
  return { ...base, type, typeValue: mapTypes.value(type), ...over }
}

/** A hash of one entry at a time, for what the class does around the kernel. */
function kernel(refuse: { readonly update?: number; readonly create?: number } = {}): FakeSys {
  const entries = new Map<string, Uint8Array>()
  const keyOf = (call: FakeBpfCall): string => String(call.buffer(mapElemAttr.offsets.key))
  return fakeSys({
    files: {
      '/sys/devices/system/cpu/possible': '0-1\n',
      '/proc/self/status': 'CapEff:\t0000000000000000\n',
    },
    bpf: {
      map_create: refuse.create ?? ((call) => call.newFd('map')),
      map_lookup_elem(call) {
        const value = entries.get(keyOf(call))
        if (value === undefined) return fails('ENOENT')
        call.buffer(mapElemAttr.offsets.value)?.set(value)
        return 0
      },
      map_update_elem:
        refuse.update ??
        ((call) => {
          entries.set(keyOf(call), new Uint8Array(call.buffer(mapElemAttr.offsets.value) ?? []))
          return 0
        }),
      map_delete_elem: (call) => (entries.delete(keyOf(call)) ? 0 : fails('ENOENT')),
    },
  })
}

const elementCommands = (sys: FakeSys): number =>
  sys.recorded.filter(({ command }) => command?.endsWith('_elem')).length

describe('BpfMap', () => {
  it('lets no buffer of a wrong size reach the kernel, by any operation', () => {
    const [key, value] = [new Uint8Array(4), new Uint8Array(8)]
    const wrongKeys = [
      new Uint8Array(3),
      new Uint8Array(5),
      new Uint8Array(0),
      7,
      'abcd',
      undefined,
      null,
      [0, 0, 0, 0],
    ]
    const wrongValues = [
      new Uint8Array(7),
      new Uint8Array(9),
      new Uint16Array(4),
      7n,
      '12345678',
      undefined,
      null,
      {},
    ]
    const byKey: readonly ((map: BpfMap, wrong: never) => unknown)[] = [
      (map, wrong) => map.get(wrong),
      (map, wrong) => map.get(wrong, { lock: true }),
      (map, wrong) => map.has(wrong),
      (map, wrong) => map.set(wrong, value),
      (map, wrong) => map.delete(wrong),
      (map, wrong) => map.lookupAndDelete(wrong),
      (map, wrong) => map.getMany([wrong]),
      (map, wrong) => map.getMany([key, wrong]),
      (map, wrong) => map.setMany([[wrong, value]]),
      (map, wrong) => map.setMany([[key, value], [wrong, value]]), // prettier-ignore
      (map, wrong) => map.deleteMany([wrong]),
      (map, wrong) => map.deleteMany([key, wrong]),
    ]
    const byValue: readonly ((map: BpfMap, wrong: never) => unknown)[] = [
      (map, wrong) => map.set(key, wrong),
      (map, wrong) => map.set(key, wrong, { flags: 'exist' }),
      (map, wrong) => map.setMany([[key, wrong]]),
      (map, wrong) => map.setMany([[key, value], [key, wrong]]), // prettier-ignore
    ]
    const pushed: readonly ((map: BpfMap, wrong: never) => unknown)[] = [
      (map, wrong) => map.push(wrong),
      (map, wrong) => map.push(wrong, { overwrite: true }),
    ]
    const asked: readonly ((map: BpfMap, wrong: never) => unknown)[] = [(map, wrong) => map.hasValue(wrong)]
    const rows = [
      ['hash', byKey, wrongKeys, 'MAP_KEY'],
      ['hash', byValue, wrongValues, 'MAP_VALUE'],
      ['queue', pushed, wrongValues, 'MAP_VALUE'],
      ['stack', pushed, wrongValues, 'MAP_VALUE'],
      ['bloom_filter', [...pushed, ...asked], wrongValues, 'MAP_VALUE'],
      ['percpu_hash', byValue, [...wrongValues, [], [value], [value, new Uint8Array(7)]], 'MAP_VALUE'],
    ] as const
    for (const [type, operations, wrongs, code] of rows) {
      const sys = kernel()
      using map = createMap(sys, shape(type, type.includes('hash') ? {} : { keySize: 0 }))
      for (const use of operations) {
        for (const wrong of wrongs) {
          const message = expect.stringMatching(/^map counts.* does not fit: expected /) as string
          // The first of many may have been right; no value of a per-CPU map is, here.
          expect(() => use(map, wrong as never), `${type}: ${use}`).toThrow(
            expect.objectContaining({ code, message }),
          )
        }
      }
      expect(sys.recorded.filter(({ command }) => /_elem|_batch/.test(command ?? ''))).toEqual([])
    }
  })

  it('names map, key and what was expected', () => {
    using map = createMap(kernel(), shape('hash'))
    expect(() => map.set(Uint8Array.of(1, 2, 3, 4), new Uint8Array(2))).toThrow(
      expect.objectContaining({
        message:
          'map counts key bytes 01 02 03 04: value bytes 00 00 does not fit: expected a Uint8Array of 8 bytes, got 2 bytes',
      }),
    )
  })

  it('gives values that are the caller’s own', () => {
    using map = createMap(kernel(), shape('hash'))
    const key = new Uint8Array(4)
    map.set(key, new Uint8Array(8).fill(1))
    const first = map.get(key)
    map.set(key, new Uint8Array(8).fill(2))
    expect(first).toEqual(new Uint8Array(8).fill(1))
    expect(map.get(key)).not.toBe(map.get(key))
  })

  it('refuses codecs of another size, and closes the descriptor', () => {
    const sys = kernel()
    for (const codecs of [{ key: bytesCodec(5) }, { value: bytesCodec(4) }]) {
      expect(() => mapFromFd(sys, sys.newFd('map'), shape('hash'), codecs)).toThrow(
        expect.objectContaining({ code: 'MAP_CODEC_SIZE' }),
      )
    }
    expect(sys.open.size).toBe(0)
  })

  it('refuses what a type does not have, without asking the kernel', () => {
    for (const { name } of mapTypes.rows) {
      const sys = kernel()
      using map = createMap(sys, shape(name))
      const operations = mapOperations.get(name)
      const unsupported = expect.objectContaining({ code: 'MAP_UNSUPPORTED_OPERATION' }) as Error
      const keyed = operations !== undefined && operations.key !== 'none'
      if (!keyed || !operations.get) expect(() => map.get(new Uint8Array(4)), name).toThrow(unsupported)
      if (!keyed || !operations.set)
        expect(() => map.set(new Uint8Array(4), new Uint8Array(8)), name).toThrow(unsupported)
      if (keyed) expect(() => map.push(new Uint8Array(8)), name).toThrow(unsupported)
      if (keyed || operations?.lookupAndDelete !== true) expect(() => map.pop(), name).toThrow(unsupported)
      if (operations?.walk === 'none') {
        for (const use of [() => [...map], () => map.count(), () => map.columns()])
          expect(use, name).toThrow(unsupported)
      }
      if (operations?.delete !== true) expect(() => map.delete(new Uint8Array(4)), name).toThrow(unsupported)
      expect(elementCommands(sys)).toBe(0)
    }
  })

  it('tells the answers of the kernel apart', () => {
    const answers = [
      ['hash', 'E2BIG', 'MAP_FULL'],
      ['lpm_trie', 'ENOSPC', 'MAP_FULL'],
      ['array', 'E2BIG', 'MAP_INDEX_OUT_OF_RANGE'],
      ['hash', 'EEXIST', 'MAP_ENTRY_EXISTS'],
      ['hash', 'ENOENT', 'MAP_NO_ENTRY'],
      ['hash', 'EPERM', 'MAP_READ_ONLY'],
      ['hash', 'ENOMEM', 'MAP_REFUSED'],
    ] as const
    for (const [type, errno, code] of answers) {
      using map = createMap(kernel({ update: fails(errno) }), shape(type))
      expect(() => map.set(new Uint8Array(4), new Uint8Array(8)), errno).toThrow(
        expect.objectContaining({ code }),
      )
    }
  })

  it('closes its descriptor once', () => {
    const sys = kernel()
    const map = createMap(sys, shape('hash'))
    expect(sys.open.size).toBe(1)
    map[Symbol.dispose]()
    map.dispose()
    expect(sys.recorded.filter(({ call }) => call === 'close').length).toBe(1)
  })
})

describe('createMapFd', () => {
  it('says what the kernel would not create, and which capability is missing', () => {
    expect(() => createMapFd(kernel({ create: fails('EPERM') }), shape('sockmap'))).toThrow(
      expect.objectContaining({
        code: 'MAP_CREATE_DENIED',
        message: 'cannot create map counts (sockmap): EPERM, this process lacks CAP_BPF and CAP_NET_ADMIN',
      }),
    )
    expect(() => createMapFd(kernel({ create: fails('ENOMEM') }), shape('hash'))).toThrow(
      expect.objectContaining({ code: 'MAP_CREATE', hint: 'make the map smaller' }),
    )
  })

  it('leaves BTF out where the kernel refuses it', () => {
    const sys: FakeSys = fakeSys({
      bpf: {
        map_create: (call) => (call.attr.getUint32(48, true) === 0 ? call.newFd('map') : fails('EINVAL')),
      },
    })
    expect(createMapFd(sys, shape('hash'), { btf: { fd: 9, keyType: 1, valueType: 2 } })).toBeGreaterThan(0)
    expect(sys.recorded.length).toBe(2)
  })
})

describe('indexCodec', () => {
  it('takes numbers of 32 bits and no others', () => {
    const bytes = new Uint8Array(4)
    indexCodec.encodeInto(0xffff_ffff, bytes, 0)
    expect(indexCodec.decode(new DataView(bytes.buffer), 0)).toBe(0xffff_ffff)
    for (const wrong of [-1, 1.5, 2 ** 32, Number.NaN, '1' as unknown as number]) {
      expect(() => indexCodec.encodeInto(wrong, bytes, 0)).toThrow(
        expect.objectContaining({ code: 'MAP_ELEMENT_SIZE' }),
      )
    }
  })
})

describe('countCpus', () => {
  it('adds up ranges', () => {
    const texts = [
      ['0\n', 1],
      ['0-3\n', 4],
      ['0-3,8,10-11', 7],
      ['', undefined],
      ['3-1', undefined],
      ['0-99999', undefined],
      ['a', undefined],
      ['0-', undefined],
    ] as const
    for (const [text, count] of texts) expect(countCpus(text), text).toBe(count)
  })
})

describe('showElement', () => {
  it('is short and never throws', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    expect(showElement({ pid: 1, total: 2n })).toBe('{"pid":1,"total":"2n"}')
    expect(showElement(new Uint8Array(1000)).length).toBeLessThan(100)
    expect(showElement('x'.repeat(1000)).length).toBeLessThan(100)
    expect(showElement(loop)).toBe('object')
    expect(showElement(undefined)).toBe('undefined')
  })
})
