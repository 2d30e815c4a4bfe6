import { nativeSys } from '@tsbpf/sys/native'
import { mapFlags } from '@tsbpf/uapi'
import { requires } from '@tsbpf/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMap, ipv4PrefixCodec } from '../../src/index.ts'
import type { BpfMap } from '../../src/index.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

const gate = requires({ root: true, kernel: [5, 14], reason: 'maps' })
const capacity = 12

/** One operation, on the plain model and on the map: both give what came of it. */
type Step<M, R> = readonly [name: string, onModel: (model: M) => unknown, onMap: (real: R) => unknown]

/** Runs random operations on both; results, and errors by their code, must be the same. */
function agree<M, R extends Disposable>(
  steps: fc.Arbitrary<Step<M, R>>,
  make: () => { readonly model: M; readonly real: R },
): void {
  const command = steps.map(([name, onModel, onMap]): fc.Command<{ model: M }, { real: R }> => ({
    check: () => true,
    run({ model }, { real }) {
      let answer: unknown
      try {
        answer = onMap(real)
      } catch (error) {
        answer = (error as { code?: string }).code
      }
      expect(answer).toEqual(onModel(model))
    },
    toString: () => name,
  }))
  fc.assert(
    fc.property(fc.commands([command], { maxCommands: 100, size: 'max' }), (commands) => {
      const { model, real } = make()
      try {
        fc.modelRun(() => ({ model: { model }, real: { real } }), commands)
      } finally {
        real[Symbol.dispose]()
      }
    }),
    // An emulator is fifty times as slow.
    { numRuns: process.env['TSBPF_VM'] === undefined ? 30 : 3 },
  )
}

describe.skipIf(gate.skip)(gate.title('maps against a plain model'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  const key = fc.integer({ min: 0, max: 15 })
  const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

  type Entries = Map<number, bigint>
  const isFull = (model: Entries, at: number): boolean => model.size === capacity && !model.has(at)
  const take = (model: Entries, at: number): bigint | undefined => {
    const old = model.get(at)
    model.delete(at)
    return old
  }
  const sorted = (entries: Iterable<readonly [number, bigint]>): (readonly [number, bigint])[] =>
    [...entries].sort(([a], [b]) => a - b)
  const reading = fc.oneof(
    fc
      .tuple(key)
      .map(([k]): Step<Entries, BpfMap<number, bigint>> => [`get(${k})`, (m) => m.get(k), (r) => r.get(k)]),
    fc
      .tuple(key)
      .map(([k]): Step<Entries, BpfMap<number, bigint>> => [`has(${k})`, (m) => m.has(k), (r) => r.has(k)]),
    fc
      .array(key)
      .map((keys): Step<Entries, BpfMap<number, bigint>> => [
        `getMany(${keys})`,
        (m) => keys.map((k) => m.get(k)),
        (r) => r.getMany(keys),
      ]),
    fc.constant<Step<Entries, BpfMap<number, bigint>>>(['entries', (m) => sorted(m), (r) => sorted(r)]),
    fc.constant<Step<Entries, BpfMap<number, bigint>>>(['toMap', (m) => sorted(m), (r) => sorted(r.toMap())]),
  )
  const deleting = fc.oneof(
    key.map((k): Step<Entries, BpfMap<number, bigint>> => [
      `delete(${k})`,
      (m) => m.delete(k),
      (r) => r.delete(k),
    ]),
    fc
      .array(key)
      .map((keys): Step<Entries, BpfMap<number, bigint>> => [
        `deleteMany(${keys})`,
        (m) => keys.filter((k) => m.delete(k)).length,
        (r) => r.deleteMany(keys),
      ]),
    key.map((k): Step<Entries, BpfMap<number, bigint>> => [
      `lookupAndDelete(${k})`,
      (m) => take(m, k),
      (r) => r.lookupAndDelete(k),
    ]),
    fc.constant<Step<Entries, BpfMap<number, bigint>>>([
      'lookupAndDeleteMany',
      (m) => {
        const all = sorted(m)
        m.clear()
        return all
      },
      (r) => sorted(r.lookupAndDeleteMany()),
    ]),
  )
  const setting = fc
    .tuple(key, value, fc.constantFrom('any', 'noexist', 'exist'))
    .map(([k, v, flags]): Step<Entries, BpfMap<number, bigint>> => [
      `set(${k}, ${v}, ${flags})`,
      (m) => {
        if (flags === 'exist' && !m.has(k)) return 'MAP_NO_ENTRY'
        if (flags === 'noexist' && m.has(k)) return 'MAP_ENTRY_EXISTS'
        if (isFull(m, k)) return 'MAP_FULL'
        m.set(k, v)
        return undefined
      },
      (r) => {
        r.set(k, v, { flags })
        return undefined
      },
    ])
  const settingMany = fc.array(fc.tuple(key, value)).map((entries): Step<Entries, BpfMap<number, bigint>> => [
    `setMany(${entries})`,
    (m) => {
      for (const [k, v] of entries) {
        if (isFull(m, k)) return 'MAP_FULL'
        m.set(k, v)
      }
      return entries.length
    },
    (r) => r.setMany(entries),
  ])

  it('hash', () => {
    agree(fc.oneof(setting, settingMany, reading, deleting), () => ({
      model: new Map(),
      real: createMap<number, bigint>(sys, shape('hash', { maxEntries: capacity, flags: 0 }), {
        codecs: { key: u32, value: u64 },
      }),
    }))
  })

  it('LRU hash, as long as it has room', () => {
    agree(fc.oneof(setting, reading, deleting), () => ({
      model: new Map(),
      real: createMap<number, bigint>(sys, shape('lru_hash', { maxEntries: 10_000 }), {
        codecs: { key: u32, value: u64 },
      }),
    }))
  })

  it('array', () => {
    const at = fc.integer({ min: 0, max: capacity + 2 })
    type Words = bigint[]
    type Real = BpfMap<number, bigint>
    agree<Words, Real>(
      fc.oneof(
        fc.tuple(at, value).map(([i, v]): Step<Words, Real> => [
          `set(${i}, ${v})`,
          (m) => {
            if (i >= m.length) return 'MAP_INDEX_OUT_OF_RANGE'
            m[i] = v
            return undefined
          },
          (r) => void r.set(i, v),
        ]),
        at.map((i): Step<Words, Real> => [`get(${i})`, (m) => m[i], (r) => r.get(i)]),
        fc.constant<Step<Words, Real>>(['values', (m) => [...m], (r) => [...r.values()]]),
      ),
      () => ({
        model: Array<bigint>(capacity).fill(0n),
        real: createMap<number, bigint>(sys, shape('array', { maxEntries: capacity }), {
          codecs: { key: u32, value: u64 },
        }),
      }),
    )
  })

  for (const name of ['queue', 'stack'] as const) {
    it(name, () => {
      type Real = BpfMap<never, bigint>
      const pop = (m: bigint[]): bigint | undefined => (name === 'queue' ? m.shift() : m.pop())
      agree<bigint[], Real>(
        fc.oneof(
          fc.tuple(value, fc.boolean()).map(([v, overwrite]): Step<bigint[], Real> => [
            `push(${v}, ${overwrite})`,
            (m) => {
              if (m.length === capacity && !overwrite) return 'MAP_FULL'
              if (m.length === capacity) m.shift()
              m.push(v)
              return undefined
            },
            (r) => void r.push(v, { overwrite }),
          ]),
          fc.constant<Step<bigint[], Real>>(['pop', pop, (r) => r.pop()]),
          fc.constant<Step<bigint[], Real>>([
            'peek',
            (m) => (name === 'queue' ? m[0] : m.at(-1)),
            (r) => r.peek(),
          ]),
        ),
        () => ({
          model: [],
          real: createMap<never, bigint>(sys, shape(name, { keySize: 0, maxEntries: capacity }), {
            codecs: { value: u64 },
          }),
        }),
      )
    })
  }

  it('LPM trie', () => {
    type Real = BpfMap<string, number>
    type Prefixes = Map<string, number>
    const address = fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, 128, 255)))
    /** The prefix with the bits behind it cleared, as a number and its length. */
    const cut = (bytes: readonly number[], length: number): string => {
      const word = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
      const kept = length === 0 ? 0 : word - (word % 2 ** (32 - length))
      return `${[24, 16, 8, 0].map((shift) => Math.floor(kept / 2 ** shift) % 256).join('.')}/${length}`
    }
    const prefix = fc
      .tuple(address, fc.integer({ min: 0, max: 32 }))
      .map(([bytes, length]) => cut(bytes, length))
    agree<Prefixes, Real>(
      fc.oneof(
        fc.tuple(prefix, fc.nat(1000)).map(([p, v]): Step<Prefixes, Real> => [
          `set(${p}, ${v})`,
          (m) => {
            if (m.size === capacity && !m.has(p)) return 'MAP_FULL'
            m.set(p, v)
            return undefined
          },
          (r) => void r.set(p, v),
        ]),
        address.map((bytes): Step<Prefixes, Real> => [
          `get(${bytes})`,
          (m) => {
            for (let length = 32; length >= 0; length--) {
              const found = m.get(cut(bytes, length))
              if (found !== undefined) return found
            }
            return undefined
          },
          (r) => r.get(bytes.join('.')),
        ]),
        prefix.map((p): Step<Prefixes, Real> => [`delete(${p})`, (m) => m.delete(p), (r) => r.delete(p)]),
        fc.constant<Step<Prefixes, Real>>(['entries', (m) => [...m].sort(), (r) => [...r].sort()]),
      ),
      () => ({
        model: new Map(),
        real: createMap<string, number>(
          sys,
          shape('lpm_trie', {
            keySize: 8,
            valueSize: 4,
            maxEntries: capacity,
            flags: mapFlags.value('no_prealloc'),
          }),
          { codecs: { key: ipv4PrefixCodec, value: u32 } },
        ),
      }),
    )
  })
})
