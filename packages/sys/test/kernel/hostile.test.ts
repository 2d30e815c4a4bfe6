import { commands, linkCreateAttr, mapElemAttr } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure, fakeSys, prepareBpf } from '../../src/index.ts'
import type { AttrPointer } from '../../src/index.ts'
import { loadAddon } from '../../src/native/addon.ts'
import type { Addon } from '../../src/native/addon.ts'
import { calls, nativeSys } from '../../src/native/index.ts'
import type { ParameterType } from '../../src/native/index.ts'

const gate = requires({ reason: 'the native door' })
const privileged = requires({ root: true, reason: 'bpf(2)' })

/** No kernel has it, so that the answer is EINVAL, or EPERM without privilege, whatever the attr says. */
const noCommand = 9999
const refused = (result: number): boolean => result === failure('EINVAL') || result === failure('EPERM')

const detached = (): Uint8Array => {
  const bytes = new Uint8Array(64)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

/** A harmless value of each type: no descriptor, no path, no address. */
const harmless: Readonly<Record<ParameterType, readonly unknown[]>> = {
  i32: [-1],
  u32: [0],
  size: [0],
  bytes: [new Uint8Array(64)],
  doubles: [new Float64Array(0)],
  text: ['/nonexistent'],
  'text?': [undefined],
  function: [() => undefined],
  pointers: [new Float64Array(0), []],
  pairs: [],
}
const never = [undefined, null, {}, [], Symbol('s'), 1n, '1']
const noInteger = [...never, true, () => 1, new Uint8Array(1)]
const wrong: Readonly<Record<ParameterType, readonly (readonly unknown[])[]>> = {
  i32: [...noInteger, NaN, Infinity, -Infinity, 0.5, 2 ** 31, -(2 ** 31) - 1, 1e300].map((value) => [value]),
  u32: [...noInteger, NaN, Infinity, 0.5, -1, 2 ** 32].map((value) => [value]),
  size: [...noInteger, NaN, Infinity, 0.5, -1, 2 ** 53, 1e300].map((value) => [value]),
  bytes: [
    ...never,
    0,
    new ArrayBuffer(8),
    new Uint16Array(8),
    new Uint8ClampedArray(8),
    new DataView(new ArrayBuffer(8)),
    detached(),
    new Proxy(new Uint8Array(8), {}),
  ].map((value) => [value]),
  doubles: [...never, 0, new Float32Array(3), new Uint8Array(8)].map((value) => [value]),
  text: [undefined, null, 1, {}, [], 'a\0b', '\0', new String('/')].map((value) => [value]),
  'text?': [null, 1, {}, 'a\0b'].map((value) => [value]),
  function: [undefined, null, {}, 1].map((value) => [value]),
  pointers: [
    [undefined, []],
    [new Float64Array(1), []],
    [new Float64Array(0), {}],
    [new Float32Array(0), []],
    [[0], [new Uint8Array(8)]],
    [Float64Array.of(57), [new Uint8Array(8)]],
    [Float64Array.of(-1), [new Uint8Array(8)]],
    [Float64Array.of(NaN), [new Uint8Array(8)]],
    [Float64Array.of(2 ** 60), [new Uint8Array(8)]],
    [Float64Array.of(2 ** 32), [new Uint8Array(8)]],
    [Float64Array.of(2 ** 33, 0), [new Uint8Array(8), new Uint8Array(8)]],
    [Float64Array.of(0, 2 ** 32 + 1), [new Uint8Array(8), new Uint8Array(8)]],
    [Float64Array.of(0), [undefined]],
    [Float64Array.of(0), [detached()]],
  ],
  pairs: [
    [0],
    [0, 1],
    [57, new Uint8Array(8)],
    [-1, new Uint8Array(8)],
    [0, detached()],
    new Array(40).fill(0),
  ],
}

describe.skipIf(gate.skip)(gate.title('hostile callers'), () => {
  const addon = gate.skip ? undefined! : loadAddon()
  const sys = gate.skip ? undefined! : nativeSys()
  let openBefore: ReturnType<typeof descriptors>
  beforeEach(() => {
    openBefore = descriptors()
  })
  afterEach(() => {
    expectNoLeak(openBefore, descriptors())
  })

  const attr = (): Uint8Array => new Uint8Array(64)
  const bpf = (pointers: readonly AttrPointer[], bytes = attr()): number =>
    sys.bpf(noCommand, bytes, pointers)

  it.each(calls.filter(({ parameters }) => Object.keys(parameters).length > 0))(
    '$name refuses arguments of other types',
    ({ name, parameters }) => {
      const types = Object.values(parameters)
      const call = (...args: unknown[]): unknown =>
        (addon[name as keyof Addon] as (...args: unknown[]) => unknown)(...args)
      expect(() => call()).toThrow(TypeError)
      for (const [index, type] of types.entries()) {
        for (const bad of wrong[type]) {
          const args = types.flatMap((other, at): readonly unknown[] =>
            at === index ? bad : harmless[other],
          )
          if (name === 'bpf' || name === 'bpfNested' || name === 'bpfAsync')
            if (index !== 0) args[0] = noCommand
          expect(
            () => call(...args),
            `${name} ${index} ${String(bad[0]?.constructor.name ?? bad[0])}`,
          ).toThrow(/must|lies outside|pairs|pointer/)
        }
      }
    },
  )

  it('reads every property before it takes an address', () => {
    const victim = new Uint8Array(64)
    const order: string[] = []
    const pointers: AttrPointer[] = [
      { at: 0, buffer: victim },
      { at: 8, buffer: new Uint8Array(8) },
      {
        get at() {
          order.push('at')
          structuredClone(victim.buffer, { transfer: [victim.buffer] })
          return 16
        },
        buffer: new Uint8Array(8),
      },
    ]
    expect(() => bpf(pointers)).toThrow(TypeError)
    expect(() => bpf(pointers.slice(0, 2).reverse())).toThrow(TypeError)
    const late = new Uint8Array(64)
    const second: AttrPointer = {
      at: 8,
      get buffer() {
        structuredClone(late.buffer, { transfer: [late.buffer] })
        return new Uint8Array(8)
      },
    }
    expect(() => bpf([{ at: 0, buffer: late }, second])).toThrow(TypeError)
    expect(order).toEqual(['at'])
  })

  it('survives a changed Array.prototype', () => {
    let result: unknown
    Object.defineProperty(Array.prototype, '0', {
      configurable: true,
      set() {
        // Swallows what is pushed.
      },
      get: () => 'not bytes',
    })
    try {
      result = addon.bpfNested(noCommand, attr(), Float64Array.of(0), new Array(1) as Uint8Array[])
    } catch (error) {
      result = error
    } finally {
      delete (Array.prototype as unknown as Record<string, unknown>)['0']
    }
    expect(result).toBeInstanceOf(TypeError)
  })

  it('takes fields at the very end of the attr and no further', () => {
    const buffer = new Uint8Array(8)
    expect(refused(bpf([{ at: 56, buffer }]))).toBe(true)
    for (const at of [57, 64, 2 ** 31, 2 ** 32 - 1]) expect(() => bpf([{ at, buffer }])).toThrow(RangeError)
    expect(() => bpf([{ at: 0, buffer }], new Uint8Array(7))).toThrow(RangeError)
    expect(() => bpf([{ at: 0, buffer }], new Uint8Array(0))).toThrow(RangeError)
    expect(() => bpf([], new Uint8Array(4097))).toThrow(RangeError)
    expect(refused(bpf([], new Uint8Array(4096))) || bpf([], new Uint8Array(4096)) === failure('E2BIG')).toBe(
      true,
    )
  })

  it('leaves no address in what JavaScript can read', async () => {
    const inner = new Uint8Array(16).fill(0xff)
    const names = [new Uint8Array(8), new Uint8Array(8)]
    const pointers: AttrPointer[] = [
      { at: 0, buffer: inner, pointers: names.map((buffer, index) => ({ at: 8 * index, buffer })) },
      { at: 24, buffer: names[0]! },
    ]
    const bytes = attr().fill(0x11)
    expect(refused(bpf(pointers, bytes))).toBe(true)
    expect(inner).toEqual(new Uint8Array(16))
    expect([...bytes.subarray(0, 8), ...bytes.subarray(24, 32)]).toEqual(new Array(16).fill(0))
    expect(bytes[8]).toBe(0x11)
    inner.fill(0xff)
    bytes.fill(0x11)
    expect(refused(await sys.bpfAsync(noCommand, bytes, pointers))).toBe(true)
    expect(inner).toEqual(new Uint8Array(16))
    expect([...bytes.subarray(0, 8), ...bytes.subarray(24, 32)]).toEqual(new Array(16).fill(0))
  })

  it('takes many pointers, in pointers', () => {
    const names = Array.from({ length: 5000 }, () => new Uint8Array(8))
    const syms = new Uint8Array(8 * names.length)
    const { offsets } = linkCreateAttr
    const pointers: AttrPointer[] = [
      {
        at: offsets['kprobe_multi.syms'],
        buffer: syms,
        pointers: names.map((buffer, i) => ({ at: 8 * i, buffer })),
      },
    ]
    const started = cpuTime()
    expect(refused(bpf(pointers))).toBe(true)
    expect(cpuTime() - started).toBeLessThan(500)
    expect(syms.every((byte) => byte === 0)).toBe(true)
  })

  it('refuses pointers without end', () => {
    const circle: { at: number; buffer: Uint8Array; pointers?: AttrPointer[] } = {
      at: 0,
      buffer: new Uint8Array(8),
    }
    circle.pointers = [circle]
    expect(() => bpf([circle])).toThrow(/nested too deep/)
    const endless = {
      length: 1,
      *[Symbol.iterator]() {
        for (;;) yield { at: 0, buffer: circle.buffer }
      },
    }
    expect(() => bpf([circle, circle, ...[0, 0].map(() => endless as unknown as AttrPointer)])).toThrow()
    expect(() =>
      bpf([{ at: 0, buffer: circle.buffer, pointers: endless as unknown as AttrPointer[] }]),
    ).toThrow(/too many/)
  })

  it('takes resizable buffers, and shared ones where no address goes into them', () => {
    const Resizable = ArrayBuffer as unknown as new (
      size: number,
      options: object,
    ) => ArrayBuffer & {
      resize(size: number): void
    }
    const buffer = new Resizable(64, { maxByteLength: 4096 })
    const tracking = new Uint8Array(buffer)
    const fixed = new Uint8Array(buffer, 32, 32)
    expect(refused(bpf([{ at: 0, buffer: fixed }], tracking))).toBe(true)
    buffer.resize(16)
    expect(refused(bpf([{ at: 0, buffer: fixed }], tracking))).toBe(true)
    expect(() => bpf([{ at: 16, buffer: fixed }], tracking)).toThrow(RangeError)
    expect(() => bpf([{ at: 0, buffer: tracking, pointers: [{ at: 16, buffer: fixed }] }])).toThrow(
      RangeError,
    )

    const shared = new Uint8Array(new SharedArrayBuffer(64))
    expect(refused(bpf([{ at: 0, buffer: shared }], new Uint8Array(new SharedArrayBuffer(64))))).toBe(true)
    expect(() => bpf([{ at: 0, buffer: shared, pointers: [{ at: 0, buffer: new Uint8Array(8) }] }])).toThrow(
      /shared/,
    )
  })

  it('gives a null pointer for no bytes', () => {
    expect(refused(bpf([{ at: 0, buffer: new Uint8Array(0) }]))).toBe(true)
  })

  it.skipIf(privileged.skip)('works on copies while the thread pool does the call', async () => {
    const map = sys.bpf(
      commands.value('map_create'),
      Uint8Array.of(2, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0),
    )
    expect(map).toBeGreaterThan(2)
    const { offsets } = mapElemAttr
    const call = (
      command: 'map_lookup_elem' | 'map_update_elem',
      key: Uint8Array,
      value: Uint8Array,
    ): Promise<number> =>
      sys.bpfAsync(commands.value(command), mapElemAttr.encode({ map_fd: map }, true), [
        { at: offsets.key, buffer: key },
        { at: offsets.value, buffer: value },
      ])
    const key = new Uint8Array(4)
    const value = new Uint8Array(8).fill(7)
    const update = call('map_update_elem', key, value)
    structuredClone(value.buffer, { transfer: [value.buffer] }) // gone before the thread runs
    expect(await update).toBe(0)

    const kept = new Uint8Array(8)
    const moved = new Uint8Array(8)
    const lookups = [call('map_lookup_elem', key, kept), call('map_lookup_elem', key, moved)]
    const target = structuredClone(moved.buffer, { transfer: [moved.buffer] })
    expect(await Promise.all(lookups)).toEqual([0, 0])
    expect(kept).toEqual(new Uint8Array(8).fill(7))
    expect(new Uint8Array(target)).toEqual(new Uint8Array(8))

    const many = await Promise.all(
      Array.from({ length: 200 }, () => call('map_lookup_elem', key, new Uint8Array(8))),
    )
    expect(many.every((result) => result === 0)).toBe(true)
    expect(sys.close(map)).toBe(0)
  })

  describe('prepared calls', () => {
    let nextId = 2 ** 40
    const map = (): { id: number; memory: ArrayBuffer } => {
      const id = nextId++
      const memory = addon.mmap(id, -1, 4096, 3, 0x22, 0) // private, anonymous
      if (typeof memory === 'number') throw new Error(`mmap: ${memory}`)
      return { id, memory }
    }

    it('stay within their mapping', () => {
      const { id, memory } = map()
      const places = (...numbers: number[]): Float64Array => Float64Array.from(numbers)
      expect(addon.prepare(id + 2 ** 40, 0, 0, 64, places())).toBe(failure('EBADF'))
      for (const [at, size] of [
        [4096, 1],
        [4090, 7],
        [2 ** 32 - 1, 2],
        [0, 257],
      ] as const) {
        expect(() => addon.prepare(id, 0, at, size, places()), `${at} ${size}`).toThrow(RangeError)
      }
      for (const bad of [
        [57, 64, 8, 0],
        [-1, 64, 8, 0],
        [NaN, 64, 8, 0],
        [0, 4096, 1, 0],
        [0, 4090, 7, 0],
        [0, 2 ** 53, 8, 0],
        [0, 64, -8, 0],
        [0, 64, NaN, 0],
        [0, 2 ** 52, 2 ** 52, 0],
        [0, 64, 8],
        [0, 64, 8, 0, 8, 64, 8, 0, 16, 64, 8, 0, 24, 64, 8, 0, 32, 64, 8, 0],
      ]) {
        expect(() => addon.prepare(id, 0, 0, 64, Float64Array.from(bad)), String(bad)).toThrow(RangeError)
      }
      const handle = addon.prepare(id, noCommand, 0, 64, places(0, 64, 8, 0, 8, 4088, 8, 0))
      expect(refused(addon.run(handle))).toBe(true)
      expect(new Uint8Array(memory, 0, 16)).toEqual(new Uint8Array(16))
      for (const other of [handle + 1, handle + 2 ** 20, 0, 2 ** 53 - 1]) {
        expect(addon.run(other)).toBe(failure('EBADF'))
      }
      addon.unmap(id)
      expect(addon.run(handle)).toBe(failure('EBADF'))
    })

    it('stay within it at each step of many', () => {
      const { id, memory } = map()
      const many = (capacity: number, step: number, resultsAt: number): number =>
        addon.prepareMany(id, noCommand, 0, 64, Float64Array.of(8, 64, 8, step), capacity, resultsAt)
      for (const bad of [
        [0, 8, 2048],
        [2 ** 20 + 1, 0, 0],
        [2, 4096 - 64 - 8 + 1, 2048],
        [4, 2 ** 53, 2048],
        [4, NaN, 2048],
        [513, 0, 2048],
        [1, 0, 4093],
      ] as const) {
        const [capacity, step, resultsAt] = bad
        expect(() => many(capacity, step, resultsAt), String(bad)).toThrow(RangeError)
      }
      expect(addon.prepareMany(id, 0, 0, 64, new Float64Array(0), 1, 2048)).toBe(failure('EINVAL'))
      const handle = many(4, 8, 2048)
      expect(addon.run(handle)).toBe(failure('EBADF'))
      expect(addon.runMany(handle, 5, 0)).toBe(failure('EBADF'))
      expect(addon.runMany(handle, 4, 1)).toBe(1)
      expect(addon.runMany(handle, 4, 0)).toBe(4)
      expect([...new Int32Array(memory, 2048, 5)].map(refused)).toEqual([true, true, true, true, false])
      expect(new Uint8Array(memory, 0, 64)).toEqual(new Uint8Array(64))
      expect(addon.runMany(addon.prepare(id, noCommand, 0, 64, new Float64Array(0)), 1, 0)).toBe(
        failure('EBADF'),
      )
      addon.unmap(id)
      expect(addon.runMany(handle, 1, 0)).toBe(failure('EBADF'))
    })

    it('are numbered once', () => {
      const handles = new Set<number>()
      for (let i = 0; i < 100; i++) {
        const { id } = map()
        for (let j = 0; j < 5; j++) handles.add(addon.prepare(id, noCommand, 0, 8, new Float64Array(0)))
        addon.unmap(id)
      }
      expect(handles.size).toBe(500)
    })

    it('end with their memory', () => {
      const { buffers, calls: prepared } = prepareBpf(
        sys,
        [8],
        [{ cmd: noCommand, attr: attr(), pointers: [{ at: 8, buffer: 0 }] }],
      )
      const { run } = prepared[0]!
      expect(refused(run())).toBe(true)
      const memory = buffers[0]!.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer }
      // Newer runtimes refuse, older ones copy: memory that native code lends cannot be detached from outside.
      try {
        structuredClone(memory, { transfer: [memory] })
      } catch (error) {
        expect((error as Error).name).toBe('DataCloneError')
      }
      const result = run()
      expect(memory.byteLength === 0 ? result === failure('EBADF') : refused(result)).toBe(true)
      if (memory.transfer === undefined) return
      const moved = memory.transfer()
      expect(run()).toBe(failure('EBADF'))
      expect(new Uint8Array(moved).length).toBeGreaterThan(0)
    })

    it('refuse buffers that are not there, on any door', () => {
      const wrongBuffer = [{ cmd: noCommand, attr: attr(), pointers: [{ at: 8, buffer: 1 }] }]
      expect(() => prepareBpf(sys, [8], wrongBuffer)).toThrow(RangeError)
      expect(() => prepareBpf(fakeSys(), [8], wrongBuffer)).toThrow(RangeError)
    })
  })

  it('rejects what is wrong with an asynchronous call, instead of throwing', async () => {
    await expect(sys.bpfAsync(-1, attr())).rejects.toThrow(RangeError)
    await expect(sys.bpfAsync(noCommand, attr(), [{ at: 60, buffer: attr() }])).rejects.toThrow(RangeError)
  })

  it('answers any attr and any pointers of an unknown command', () => {
    const pointer = fc.record({
      at: fc.oneof(fc.integer(), fc.nat(72), fc.double()),
      buffer: fc.uint8Array({ maxLength: 64 }),
    })
    const nested = fc.record({
      at: fc.nat(64),
      buffer: fc.uint8Array({ minLength: 8, maxLength: 64 }),
      pointers: fc.array(pointer, { maxLength: 4 }),
    })
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 128 }),
        fc.array(fc.oneof(pointer, nested), { maxLength: 12 }),
        (bytes, pointers) => {
          let result: number
          try {
            result = sys.bpf(noCommand, bytes, pointers)
          } catch (error) {
            return (
              error instanceof RangeError ||
              error instanceof TypeError ||
              (error as Error).name === 'TsbpfError'
            )
          }
          return refused(result)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
