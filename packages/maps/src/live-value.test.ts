import { btfBuilder, codec, parseBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { fakeSys } from '@tsbpf/sys'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { btfCodecs, createMap } from './index.ts'
import type { BpfMap, LiveMemory, MapMemory } from './index.ts'
import { liveReader } from './live-value.ts'
import { words } from './scalar-codec.ts'

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error

type Builder = ReturnType<typeof btfBuilder>
/** A type: adds itself, and gives its id and size. */
type Shape = (builder: Builder) => { readonly id: number; readonly size: number }

const int =
  (name: string, size: 1 | 2 | 4 | 8, signed: boolean): Shape =>
  (builder) => ({ id: builder.add({ kind: 'int', name, size, signed }), size })
const float =
  (size: 4 | 8): Shape =>
  (builder) => ({ id: builder.add({ kind: 'float', name: `f${size}`, size }), size })
const bool: Shape = (builder) => ({
  id: builder.add({ kind: 'int', name: '_Bool', size: 1, signed: false, bool: true }),
  size: 1,
})
const mode: Shape = (builder) => ({
  id: builder.add({ kind: 'enum', name: 'mode', size: 4, signed: false, values: [{ name: 'OFF', value: 0n }, { name: 'ON', value: 1n }] }), // prettier-ignore
  size: 4,
})
const pointer: Shape = (builder) => ({ id: builder.add({ kind: 'ptr', type: 0 }), size: 8 })
const array =
  (of: Shape, length: number): Shape =>
  (builder) => {
    const element = of(builder)
    const index = int('index', 4, false)(builder).id
    return {
      id: builder.add({ kind: 'array', type: element.id, indexType: index, length }),
      size: element.size * length,
    }
  }
/** Members stand `gaps` bytes apart, wherever that is: packed structs are, too. */
const struct =
  (members: readonly (readonly [name: string, of: Shape, gap: number])[]): Shape =>
  (builder) => {
    let size = 0
    const made = members.map(([name, of, gap]) => {
      const { id, size: own } = of(builder)
      const offsetBits = (size += gap) * 8
      size += own
      return { name, type: id, offsetBits }
    })
    return { id: builder.add({ kind: 'struct', name: 's', size, members: made }), size }
  }
const scalars = [
  int('char', 1, true),
  int('unsigned char', 1, false),
  int('signed char', 1, true),
  int('short', 2, true),
  int('unsigned short', 2, false),
  int('int', 4, true),
  int('unsigned int', 4, false),
  int('long', 8, true),
  int('unsigned long', 8, false),
  float(4),
  float(8),
  pointer,
  bool,
  mode,
]
const names = ['a', 'b', 'c', 'constructor', '__proto__', 'live', '\u2028"\n']
const anyShape = fc.letrec<{ shape: Shape; struct: Shape }>((tie) => ({
  shape: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...scalars),
    fc.tuple(tie('shape'), fc.nat(3)).map(([of, length]) => array(of, length)),
    tie('struct'),
  ),
  struct: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('shape'), fc.constantFrom(0, 0, 0, 1, 4)), {
      selector: ([name]) => name,
      minLength: 1,
    })
    .map(struct),
}))

function built(shape: Shape): { readonly btf: Btf; readonly id: number; readonly size: number } {
  const builder = btfBuilder({ rules: 'none' })
  const { id, size } = shape(builder)
  return { btf: parseBtf(builder.build()), id, size }
}

/** A map of that type, whose memory is a buffer of this process. */
function mapped(shape: Shape, maxEntries = 3): BpfMap<number> {
  const { btf, id, size } = built(shape)
  const mmap = (_fd: number, length: number) => {
    const memory = new ArrayBuffer(length)
    return { memory, unmap: () => void structuredClone(memory, { transfer: [memory] }) }
  }
  const sys = fakeSys({ bpf: { map_create: (call) => call.newFd('map') }, calls: { mmap } })
  const type = { name: 'live', kernelName: 'live', type: 'array', typeValue: mapTypes.value('array') }
  const spec = { ...type, keySize: 4, valueSize: size, maxEntries, flags: mapFlags.value('mmapable') }
  const codecs = btfCodecs(btf, { ...spec, keyType: undefined, valueType: id as never })
  return createMap<unknown, unknown>(sys, spec, { codecs }) as unknown as BpfMap<number>
}

/** What a live value is now, member by member. */
function snapshot(live: unknown, like: unknown): unknown {
  if (Array.isArray(like)) return like.map((one, i) => snapshot((live as unknown[])[i], one))
  if (typeof like !== 'object' || like === null || ArrayBuffer.isView(like)) return live
  const copy: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(like)) {
    const value = snapshot((live as Record<string, unknown>)[name], part)
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return copy
}

/** Memory as a map gives it to live values. */
function memoryOf(bytes: Uint8Array<ArrayBuffer>): LiveMemory {
  const kinds = Object.entries(words).map(([name, { array: Words }]) => [name, new Words(bytes.buffer)])
  return {
    view: new DataView(bytes.buffer),
    bytes,
    words: Object.fromEntries(kinds) as LiveMemory['words'],
    readOnly: false,
    live: () => undefined,
    change: (_name, _value, write) => {
      write()
    },
  }
}

describe('live values', () => {
  it('are what decoding gives, compiled or not, wherever they lie', () => {
    const sample = fc.tuple(anyShape.struct, fc.infiniteStream(fc.integer({ min: 0, max: 255 })))
    fc.assert(
      fc.property(sample, ([shape, random]) => {
        using map = mapped(shape)
        using memory = map.memory()
        for (let i = 0; i < memory.bytes.length; i++) memory.bytes[i] = random.next().value as number
        for (let index = 0; index < 3; index++) {
          const decoded = memory.get(index) as object
          const live = memory.view(index)
          expect(snapshot(live, decoded)).toEqual(decoded)
          // What is written by members is the same as what is written as a whole.
          const other = memory.view((index + 1) % 3) as Record<string, unknown>
          for (const [name, part] of Object.entries(decoded)) other[name] = part
          expect(memory.get((index + 1) % 3)).toEqual(decoded)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('are the same without code made for them', () => {
    fc.assert(
      fc.property(anyShape.struct, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (shape, random) => {
        const { btf, id, size } = built(shape)
        const bytes = Uint8Array.from(
          { length: Math.ceil(size / 8) * 8 },
          () => random.next().value as number,
        )
        const memory = memoryOf(bytes)
        const decoded = codec(btf, id).decode(bytes)
        expect(snapshot(liveReader(btf, id, false)(memory, 0), decoded)).toEqual(decoded)
        expect(snapshot(liveReader(btf, id, true)(memory, 0), decoded)).toEqual(decoded)
      }),
      { numRuns: 40 },
    )
  })

  const stats = struct([
    ['packets', int('unsigned long', 8, false), 0],
    ['errors', int('unsigned int', 4, false), 0],
    ['small', int('unsigned char', 1, false), 0],
    ['on', bool, 0],
    ['mode', mode, 2],
    ['name', array(int('char', 1, true), 4), 0],
    ['sizes', array(int('unsigned int', 4, false), 4), 0],
    ['each', array(struct([['x', int('int', 4, true), 0]]), 2), 0],
  ])
  interface Stats {
    packets: bigint
    errors: number
    small: number
    on: boolean
    mode: string
    name: string
    sizes: number[]
    each: { x: number }[]
  }
  const open = (): [BpfMap<number, Stats>, MapMemory<Stats>] => {
    const map = mapped(stats) as unknown as BpfMap<number, Stats>
    return [map, map.memory()]
  }

  it('read and write the memory itself', () => {
    const [, memory] = open()
    const [live, again] = [memory.view(1), memory.view(1)]
    live.packets = 5n
    live.errors += 7
    live.on = true
    live.mode = 'ON'
    live.name = 'abc'
    live.sizes[2] = 9
    live.each[1]!.x = -3
    const expected = {
      packets: 5n,
      errors: 7,
      small: 0,
      on: true,
      mode: 'ON',
      name: 'abc',
      sizes: [0, 0, 9, 0],
    }
    expect(memory.get(1)).toEqual({ ...expected, each: [{ x: 0 }, { x: -3 }] })
    expect([again.packets, again.sizes[2], again.each[1]?.x]).toEqual([5n, 9, -3])
    expect(again.sizes).toBe(again.sizes)
    expect(again.each[1]).toBe(again.each[1])
    expect(memory.get(0).packets).toBe(0n)
  })

  it('refuse what does not fit, by name', () => {
    const [, memory] = open()
    const live = memory.view(0)
    for (const use of [
      () => (live.small = 256),
      () => (live.errors = -1),
      () => (live.packets = 2n ** 64n),
      () => (live.errors = '1' as never),
      () => (live.mode = 'BOTH'),
      () => (live.each = []),
    ]) {
      expect(use).toThrow(code('MAP_MEMBER'))
    }
    expect(() => (live.small = 256)).toThrow(/^map live: member small cannot be 256: .*0 to 255/)
    expect(memory.bytes.every((byte) => byte === 0)).toBe(true)
    expect(() => memory.view(3)).toThrow(code('MAP_MEMORY_INDEX'))
  })

  it('end with their memory', () => {
    const [, memory] = open()
    const live = memory.view(0)
    const { sizes, each } = live
    memory.dispose()
    for (const use of [
      () => live.packets,
      () => live.on,
      () => (live.packets = 1n),
      () => (live.on = true),
      () => each[0]?.x,
      () => memory.view(0),
    ]) {
      expect(use).toThrow(code('MAP_DISPOSED'))
    }
    expect(sizes.length).toBe(0)
  })

  it('are not written where the memory is for reading alone', () => {
    const [map] = open()
    using memory = map.memory({ readOnly: true })
    const live = memory.view(0)
    expect([live.packets, live.sizes, memory.scalars]).toEqual([0n, new Uint32Array(4), undefined])
    for (const use of [() => (live.packets = 1n), () => (live.name = 'x'), () => (live.each[0]!.x = 1)]) {
      expect(use).toThrow(code('MAP_MEMORY_READ_ONLY'))
    }
    live.sizes[0] = 1
    expect(memory.get(0).sizes[0]).toBe(0)
  })

  it('leave bitfields to the whole struct', () => {
    const shape: Shape = (builder) => {
      const { id } = int('unsigned int', 4, false)(builder)
      const members = [
        { name: 'low', type: id, offsetBits: 0, bitfieldSizeBits: 3 },
        { name: 'high', type: id, offsetBits: 3, bitfieldSizeBits: 29 },
      ]
      return { id: builder.add({ kind: 'struct', name: 'bits', size: 4, members }), size: 4 }
    }
    using memory = mapped(shape).memory() as unknown as MapMemory<{ low: number; high: number }>
    memory.set(1, { low: 5, high: 1000 })
    expect([memory.view(1).low, memory.view(1).high]).toEqual([5, 1000])
    expect(() => (memory.view(1).low = 1)).toThrow(code('MAP_MEMBER'))
  })

  it('are typed arrays where values are numbers', () => {
    using memory = mapped(int('unsigned int', 4, false)).memory() as unknown as MapMemory<number>
    memory.set(1, 7)
    expect([memory.scalars?.[2], memory.get(1), memory.view(1)]).toEqual([7, 7, Uint32Array.of(7)])
    memory.scalars![4] = 8
    expect(memory.get(2)).toBe(8)
    for (const index of [-1, 3, 0.5, 1.5]) expect(() => memory.get(index)).toThrow(code('MAP_MEMORY_INDEX'))
    expect(() => memory.set(0, -1)).toThrow(code('MAP_VALUE'))
    memory.dispose()
    expect(() => memory.get(0)).toThrow(code('MAP_DISPOSED'))
  })

  it('need a type', () => {
    using map = createMap(
      fakeSys({
        bpf: { map_create: (call) => call.newFd('map') },
        calls: { mmap: () => ({ memory: new ArrayBuffer(8), unmap: () => undefined }) },
      }),
      {
        name: 'raw',
        kernelName: 'raw',
        type: 'array',
        typeValue: 2,
        keySize: 4,
        valueSize: 8,
        maxEntries: 1,
        flags: 0,
      },
    )
    expect(() => map.memory().view(0)).toThrow(code('MAP_MEMORY_TYPE'))
  })
})
