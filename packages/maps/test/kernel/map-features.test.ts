import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { btfBuilder } from '@tsbpf/btf'
import { btfLoad, Fd } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { commands, errnos, mapFlags } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMap, openMap } from '../../src/index.ts'
import type { BpfMap } from '../../src/index.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

const gate = requires({ root: true, kernel: [5, 14], reason: 'maps' })
const code = (name: string): Error => expect.objectContaining({ code: name }) as Error

/** The running kernel as if it were older than 5.6. */
function withoutBatches(): Sys {
  const sys = nativeSys()
  const batches = new Set(
    (['lookup', 'lookup_and_delete', 'update', 'delete'] as const).map((name) =>
      commands.value(`map_${name}_batch`),
    ),
  )
  return {
    ...sys,
    bpf: (cmd, attr, pointers) => (batches.has(cmd) ? -errnos.value('EINVAL') : sys.bpf(cmd, attr, pointers)),
  }
}

describe.skipIf(gate.skip)(gate.title('features of maps'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })
  const typed = (over = {}, door = sys): BpfMap<number, bigint> =>
    createMap(door, shape('hash', over), { codecs: { key: u32, value: u64 } })

  for (const [name, door] of [
    ['by batches', () => sys],
    ['without batches', withoutBatches],
  ] as const) {
    it(`works on many entries ${name}`, () => {
      const count = 10_000
      using map = typed({ maxEntries: count }, door())
      const entries = Array.from({ length: count }, (_, i) => [i, BigInt(i) * 3n] as const)
      expect(map.setMany(entries)).toBe(count)
      expect(() =>
        map.setMany([
          [count, 0n],
          [count + 1, 0n],
        ]),
      ).toThrow(code('MAP_FULL'))
      expect(() => map.setMany([[5, 0n]], { flags: 'noexist' })).toThrow(code('MAP_ENTRY_EXISTS'))
      expect(map.toMap()).toEqual(new Map(entries))
      const columns = map.columns()
      expect([columns.count, columns.keys.length, columns.values.length]).toEqual([
        count,
        count * 4,
        count * 8,
      ])
      expect(map.getMany([1, count, 9999])).toEqual([3n, undefined, 29_997n])
      expect(map.deleteMany([...Array(count / 2).keys()].flatMap((i) => [i * 2, count + i]))).toBe(count / 2)
      const rest = map.lookupAndDeleteMany()
      expect(new Map(rest)).toEqual(new Map(entries.filter(([key]) => key % 2 === 1)))
      expect([rest.length, map.count()]).toEqual([count / 2, 0])
      expect([map.setMany([]), map.deleteMany([]), map.getMany([])]).toEqual([0, 0, []])
    })
  }

  it('takes whole buckets that are larger than its buffers', () => {
    using map = createMap(sys, shape('hash', { valueSize: 200_000, maxEntries: 40 }))
    for (let i = 0; i < 40; i++) map.set(new Uint8Array([i, 0, 0, 0]), new Uint8Array(200_000).fill(i))
    expect(map.columns().count).toBe(40)
    const taken = map.lookupAndDeleteMany()
    expect(new Set(taken.map(([key, value]) => key[0] === value[9] && key[0])).size).toBe(40)
  })

  it('opens by path, id and descriptor, and says what differs', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-maps-'))
    execFileSync('mount', ['-t', 'bpf', 'bpf', folder])
    try {
      using map = typed()
      map.set(1, 10n)
      const path = join(folder, 'counts')
      map.pin(path)
      const codecs = { key: u32, value: u64 }
      const expected = { type: 'hash', keySize: 4, valueSize: 8, maxEntries: 100, flags: 0 }
      using pinned = openMap<number, bigint>(sys, { path }, { codecs, expect: expected })
      pinned.set(2, 20n)
      using byId = openMap<number, bigint>(sys, { id: map.info().id }, { codecs, access: 'rdonly' })
      expect(byId.toMap()).toEqual(
        new Map([
          [1, 10n],
          [2, 20n],
        ]),
      )
      expect(() => byId.set(3, 3n)).toThrow(code('MAP_READ_ONLY'))
      expect(() => byId.delete(1)).toThrow(code('MAP_READ_ONLY'))
      const differs = { ...expected, type: 'array', valueSize: 4, flags: 1 }
      expect(() => openMap(sys, { path }, { expect: differs })).toThrow(
        expect.objectContaining({
          code: 'MAP_INCOMPATIBLE',
          message: `${path} is not the map that was expected: its type is hash, not array, its value size is 8, not 4, its flags is 0, not 1`,
        }),
      )
      expect(() => openMap(sys, { path: join(folder, 'other') })).toThrow(code('SYS_CALL_FAILED'))
    } finally {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true })
    }
  })

  it('pins in a directory alone, and removes its own pins alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-maps-'))
    execFileSync('mount', ['-t', 'bpf', 'bpf', folder])
    try {
      using map = typed()
      using other = typed()
      // Every BPF file system has two files of the kernel's own.
      const pins = (): string[] => readdirSync(folder).filter((name) => !name.endsWith('.debug'))
      const path = map.pin({ directory: folder })
      expect(path).toBe(join(folder, 'test_hash'))
      expect(() => map.pin({ directory: folder })).toThrow(code('SYS_CALL_FAILED'))
      for (const name of ['', '.', '..', 'a/b', '../a', 'a\0b', 'x'.repeat(256)]) {
        expect(() => map.pin({ directory: folder, name })).toThrow(code('MAP_PIN_NAME'))
        expect(() => map.unpin({ directory: folder, name })).toThrow(code('MAP_PIN_NAME'))
      }
      expect(() => other.unpin(path)).toThrow(code('MAP_PIN_OTHER'))
      expect(pins()).toEqual(['test_hash'])
      map.pin({ directory: folder, name: 'second' })
      map.unpin(path)
      expect(pins()).toEqual(['second'])
      expect(() => map.unpin(path)).toThrow(code('SYS_CALL_FAILED'))
      map.unpin({ directory: folder, name: 'second' })
      expect(pins()).toEqual([])
      // What is no map, and what is no pin, stays.
      const file = join(folder, '..', `${basename(folder)}.txt`)
      writeFileSync(file, '')
      expect(() => map.unpin(file)).toThrow(code('SYS_CALL_FAILED'))
      rmSync(file)
    } finally {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true })
    }
  })

  it('maps an array into memory, live both ways', () => {
    using map = createMap<number, bigint>(
      sys,
      shape('array', { maxEntries: 1000, flags: mapFlags.value('mmapable') }),
      { codecs: { key: u32, value: u64 } },
    )
    const memory = map.memory()
    map.set(7, 70n)
    expect([memory.count, memory.stride, memory.get(7)]).toEqual([1000, 8, 70n])
    memory.set(999, 5n)
    expect(map.get(999)).toBe(5n)
    const words = new BigUint64Array(memory.bytes.buffer, 0, memory.count)
    words[3] = 33n
    expect(map.get(3)).toBe(33n)
    for (const index of [-1, 1000, 0.5]) expect(() => memory.get(index)).toThrow(code('MAP_MEMORY_INDEX'))
    expect(() => memory.set(0, 7 as unknown as bigint)).toThrow(code('MAP_VALUE'))
    memory.dispose()
    memory.dispose()
    expect(memory.bytes.length).toBe(0)
    expect(() => memory.get(0)).toThrow(code('MAP_DISPOSED'))
    map.freeze()
    expect(() => map.memory()).toThrow(code('MAP_MEMORY'))
    using reading = map.memory({ readOnly: true })
    expect([reading.get(999), reading.bytes.length]).toEqual([5n, 0])
    expect(() => reading.set(0, 1n)).toThrow(code('MAP_MEMORY_READ_ONLY'))
    using hash = typed()
    expect(() => hash.memory()).toThrow(code('MAP_UNSUPPORTED_OPERATION'))
    using plain = createMap(sys, shape('array'))
    expect(() => plain.memory()).toThrow(code('MAP_MEMORY'))
  })

  it('holds the lock of a value', () => {
    const builder = btfBuilder()
    const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
    const lock = builder.add({
      kind: 'struct',
      name: 'bpf_spin_lock',
      size: 4,
      members: [{ name: 'val', type: int, offsetBits: 0 }],
    })
    const value = builder.add({
      kind: 'struct',
      name: 'value',
      size: 8,
      members: [
        { name: 'lock', type: lock, offsetBits: 0 },
        { name: 'count', type: int, offsetBits: 32 },
      ],
    })
    using btf = new Fd(sys, btfLoad(sys, { btf: builder.build() }).fd, 'BTF')
    using map = createMap<number, bigint>(sys, shape('hash'), {
      codecs: { key: u32, value: u64 },
      btf: { fd: btf.value, keyType: int, valueType: value },
    })
    map.set(1, 7n << 32n, { lock: true })
    expect(map.get(1, { lock: true })).toBe(7n << 32n)
    using plain = typed()
    plain.set(1, 1n)
    expect(() => plain.get(1, { lock: true })).toThrow(code('MAP_REFUSED'))
  })
})
