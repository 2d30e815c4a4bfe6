import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fd, progGetInfo } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { mapFlags } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMap, objectCodec, possibleCpus } from '../../src/index.ts'
import type { BpfMap, HasFd } from '../../src/index.ts'
import { loadProgram, returnZero } from '../support/programs.ts'
import { shape, u32 } from '../support/shapes.ts'

const folders = [join(process.env['TSBPF_ORACLES'] ?? '', 'bin'), ...(process.env['PATH'] ?? '').split(':')]
const tool = folders.map((folder) => join(folder, 'bpftool')).find((path) => existsSync(path))
const gate = requires({
  root: true,
  kernel: [5, 14],
  reason: 'compares maps with bpftool',
})
const skip = gate.skip || tool === undefined
if (tool === undefined && process.env['CI'] === 'true') throw new Error('CI must have bpftool')

type Bytes = readonly number[]
interface Entry {
  readonly key: readonly string[]
  readonly value?: readonly string[] | { readonly error: string }
  readonly values?: readonly { readonly cpu: number; readonly value: readonly string[] }[]
}

const bpftool = (...words: readonly (string | number)[]): unknown => {
  const text = execFileSync(tool ?? '', ['-j', ...words.map(String)], { encoding: 'utf8' })
  return text === '' ? undefined : JSON.parse(text)
}
const hex = (bytes: Bytes | Uint8Array): string[] =>
  [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`)
const bytesOf = (texts: readonly string[]): Uint8Array => Uint8Array.from(texts, Number)

describe.skipIf(skip)(
  gate.title(tool ? 'bpftool and maps' : 'bpftool and maps [not run: no bpftool]'),
  () => {
    const sys = skip ? undefined! : nativeSys()
    let before: ReturnType<typeof descriptors>
    beforeEach(() => {
      before = descriptors()
    })
    afterEach(() => {
      expectNoLeak(before, descriptors())
    })
    const idOf = (map: BpfMap<never, never>): number => map.info().id
    /** What bpftool reads, by key. */
    const dump = (id: number): Map<string, unknown> =>
      new Map(
        (bpftool('map', 'dump', 'id', id) as Entry[]).map(({ key, value, values }) => [
          key.join(' '),
          values === undefined ? value : values.toSorted((a, b) => a.cpu - b.cpu).map((one) => one.value),
        ]),
      )

    /** Keys of 4 bytes and values of 8 with every byte different, so that a change of order would show. */
    const value = (n: number): Bytes => [n, 2, 3, 4, 5, 6, 7, 0xff - n]
    const keyed: readonly (readonly [MapTypeName, readonly Bytes[], object])[] = [
      ['hash', [[1, 2, 3, 4], [0xff, 0, 0x80, 7]], {}], // prettier-ignore
      // Room for what each processor keeps in reserve: a small one loses entries before it is full.
      ['lru_hash', [[1, 2, 3, 4], [0xff, 0, 0x80, 7]], { maxEntries: 4096 }], // prettier-ignore
      ['array', [[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]], { maxEntries: 3 }], // prettier-ignore
      ['lpm_trie', [[8, 0, 0, 0, 10, 0, 0, 0], [24, 0, 0, 0, 192, 0, 2, 0]], { keySize: 8, flags: mapFlags.value('no_prealloc') }], // prettier-ignore
    ]
    for (const [type, keys, over] of keyed) {
      it(`reads and writes the same bytes: ${type}`, () => {
        using map = createMap(sys, shape(type, over))
        const id = idOf(map as never)
        for (const [i, key] of keys.entries()) map.set(Uint8Array.from(key), Uint8Array.from(value(i)))
        expect(dump(id)).toEqual(new Map(keys.map((key, i) => [hex(key).join(' '), hex(value(i))])))
        for (const [i, key] of keys.entries()) {
          const found = bpftool('map', 'lookup', 'id', id, 'key', ...hex(key))
          expect(found).toEqual({ key: hex(key), value: hex(value(i)) })
          bpftool('map', 'update', 'id', id, 'key', ...hex(key), 'value', ...hex(value(i + 100)))
          expect(map.get(Uint8Array.from(key))).toEqual(Uint8Array.from(value(i + 100)))
        }
        const all = (entries: Iterable<[Uint8Array, Uint8Array]>): string[] =>
          [...entries].map(([key, bytes]) => `${hex(key).join(' ')}: ${hex(bytes).join(' ')}`).sort()
        const expected = keys
          .map((key, i) => `${hex(key).join(' ')}: ${hex(value(i + 100)).join(' ')}`)
          .sort()
        expect(all(map)).toEqual(expected)
        expect(all(map.toMap())).toEqual(expected)
        if (type === 'array') return
        bpftool('map', 'delete', 'id', id, 'key', ...hex(keys[0]!))
        expect([map.has(Uint8Array.from(keys[0]!)), map.count()]).toEqual([false, keys.length - 1])
      })
    }

    for (const type of ['percpu_hash', 'percpu_array', 'lru_percpu_hash'] as const) {
      it(`reads and writes the same bytes of each processor: ${type}`, () => {
        const cpus = possibleCpus(sys)
        // 5 bytes: what stands between the values of two processors must not show.
        using map = createMap<Uint8Array, readonly Uint8Array[]>(
          sys,
          shape(type, { valueSize: 5, maxEntries: 2 }),
        )
        const id = idOf(map as never)
        const values = Array.from({ length: cpus }, (_, cpu) => [cpu, 1, 2, 3, 0xf0 + cpu])
        const key = [1, 0, 0, 0]
        map.set(
          Uint8Array.from(key),
          values.map((bytes) => Uint8Array.from(bytes)),
        )
        expect(dump(id).get(hex(key).join(' '))).toEqual(values.map(hex))
        bpftool('map', 'update', 'id', id, 'key', ...hex(key), 'value', ...hex([9, 8, 7, 6, 5]))
        const all = Array.from({ length: cpus }, () => Uint8Array.of(9, 8, 7, 6, 5))
        expect(map.get(Uint8Array.from(key))).toEqual(all)
      })
    }

    for (const type of ['queue', 'stack'] as const) {
      it(`pushes and pops the same bytes: ${type}`, () => {
        using map = createMap<never>(sys, shape(type, { keySize: 0 }))
        const id = idOf(map as never)
        map.push(Uint8Array.from(value(1)))
        bpftool('map', type === 'queue' ? 'enqueue' : 'push', 'id', id, 'value', ...hex(value(2)))
        const [first, second] = type === 'queue' ? [value(1), value(2)] : [value(2), value(1)]
        expect(map.peek()).toEqual(Uint8Array.from(first))
        const taken = bpftool('map', type === 'queue' ? 'dequeue' : 'pop', 'id', id) as Entry
        expect(bytesOf(taken.value as readonly string[])).toEqual(Uint8Array.from(first))
        expect([map.pop(), map.pop()]).toEqual([Uint8Array.from(second), undefined])
      })
    }

    const word = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer)
    const open = (type: MapTypeName, innerFd?: number): BpfMap<number, number | bigint | HasFd> =>
      createMap<number, number | bigint | HasFd>(sys, shape(type, { valueSize: 4, maxEntries: 4 }), {
        codecs: { key: u32, value: objectCodec(4) },
        innerFd,
      })

    for (const type of ['array_of_maps', 'hash_of_maps'] as const) {
      it(`names the same inner maps: ${type}`, () => {
        using inner = createMap(sys, shape('array', { maxEntries: 1 }))
        using other = createMap(sys, shape('array', { maxEntries: 1 }))
        using map = open(type, inner.fd)
        const id = idOf(map as never)
        map.set(2, inner)
        expect(dump(id).get(hex(word(2)).join(' '))).toEqual(hex(word(inner.info().id)))
        bpftool('map', 'update', 'id', id, 'key', ...hex(word(1)), 'value', 'id', other.info().id)
        expect([map.get(1), map.get(2)]).toEqual([other.info().id, inner.info().id])
      })
    }

    it('names the same programs: prog_array', () => {
      using one = new Fd(sys, loadProgram(sys, 'socket_filter', returnZero), 'program')
      using two = new Fd(sys, loadProgram(sys, 'socket_filter', returnZero), 'program')
      const [first, second] = [one, two].map((prog) => progGetInfo(sys, prog.value).info.id) as [
        number,
        number,
      ]
      using map = open('prog_array')
      const id = idOf(map as never)
      map.set(0, one.value)
      expect(dump(id).get(hex(word(0)).join(' '))).toEqual(hex(word(first)))
      bpftool('map', 'update', 'id', id, 'key', ...hex(word(3)), 'value', 'id', second)
      expect([...map]).toEqual([
        [0, first],
        [3, second],
      ])
    })

    it('tells the same of a map', () => {
      using map = createMap(sys, shape('hash', { flags: mapFlags.value('no_prealloc') }))
      const { id, name, type, maxEntries, flags, keySize, valueSize } = map.info()
      expect(bpftool('map', 'show', 'id', id)).toMatchObject({
        ...{ id, name, type, flags },
        ...{ bytes_key: keySize, bytes_value: valueSize, max_entries: maxEntries, frozen: 0 },
      })
      map.freeze()
      expect(bpftool('map', 'show', 'id', id)).toMatchObject({ frozen: 1 })
    })
  },
)
