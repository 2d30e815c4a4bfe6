import { btfBuilder } from '@tsbpf/btf'
import { linux } from '@tsbpf/uapi'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HandMadeRing } from '../../test/support/hand-made-ring.ts'
import { isTsbpfError } from '@tsbpf/base'
import { recordFields } from '../index.ts'
import type { RingBuffer } from '../index.ts'

const { busy, discard } = { busy: linux.BPF_RINGBUF_BUSY_BIT, discard: linux.BPF_RINGBUF_DISCARD_BIT }
/** How often code was made of text, and whether it may be: a page may forbid it. */
const mode = { generated: 0, forbidden: false }
const construct = (target: FunctionConstructor, args: string[]): object => {
  if (mode.forbidden) throw new EvalError('Code generation from strings disallowed for this context')
  mode.generated++
  return Reflect.construct(target, args)
}
beforeAll(() => {
  vi.stubGlobal('Function', new Proxy(Function, { construct }))
})
afterAll(() => {
  vi.unstubAllGlobals()
})

const builder = btfBuilder()
const int = (name: string, size: number, more: object = {}): number =>
  builder.add({ kind: 'int', name, size, ...more })
const [u8, s16, u32, s64, u64] = [
  int('u8', 1),
  int('s16', 2, { signed: true }),
  int('u32', 4),
  int('s64', 8, { signed: true }),
  int('u64', 8),
] as const
const float = builder.add({ kind: 'float', name: 'double', size: 8 })
const pair = builder.add({ kind: 'array', type: u32, indexType: u32, length: 2 })
const rows = [
  ['__proto__', u64, 0],
  ['change', s64, 64],
  ['pid', u32, 128],
  ['level', s16, 160],
  ['flag', u8, 176],
  ['pair', pair, 192],
  ['ratio', float, 256],
] as const
const eventType = builder.add({
  kind: 'struct',
  name: 'event',
  size: 48,
  members: [
    ...rows.map(([name, type, offsetBits]) => ({ name, type, offsetBits })),
    { name: 'few', type: u32, offsetBits: 320, bitfieldSizeBits: 3 },
  ],
})
const btf = builder.open()
const paths = ['__proto__', 'change', 'pid', 'level', 'flag', 'pair[1]', 'ratio'] as const
const bigs = recordFields(btf, eventType, paths)
const numbers = recordFields(btf, eventType, paths, { numbers: true })

type Seen = (value: unknown) => void

/** Each way to read a ring, and what is seen of a record. */
const forms: Record<string, (ring: RingBuffer<unknown>, seen: Seen, limit: number) => number> = {
  values: (ring, seen, limit) => ring.consume(seen, limit),
  records: (ring, seen, limit) =>
    ring.consumeRecords((record) => {
      seen(record.bytes())
    }, limit),
  fields: (ring, seen, limit) =>
    ring.consumeFields(
      bigs,
      (...values) => {
        seen(values)
      },
      limit,
    ),
  'fields as numbers': (ring, seen, limit) =>
    ring.consumeFields(
      numbers,
      (...values) => {
        seen(values)
      },
      limit,
    ),
  columns: (ring, seen, limit) =>
    ring.consumeColumns(
      bigs,
      (columns) => {
        seen(columns.map((column) => column.slice()))
      },
      limit,
    ),
  'columns of numbers': (ring, seen, limit) =>
    ring.consumeColumns(
      numbers,
      (columns) => {
        seen(columns.map((column) => column.slice()))
      },
      limit,
    ),
}

interface Step {
  readonly put: readonly { readonly bytes: Uint8Array; readonly dropped: boolean }[]
  readonly settled: boolean
  readonly lastBusy: boolean
  readonly limit: number
}

/** What is done to the ring by the visit of one record. */
interface Event {
  readonly at: number
  readonly what: 'throw' | 'dispose' | 'none'
}

function trace(form: string, decode: unknown, steps: readonly Step[], event: Event): unknown[] {
  const hand = new HandMadeRing()
  using ring = hand.open(decode === undefined ? {} : { decode: decode as typeof bigs }) as RingBuffer<unknown>
  const log: unknown[] = []
  let visits = 0
  const seen: Seen = (value) => {
    log.push(value)
    if (visits++ !== event.at) return
    if (event.what === 'throw') throw new Error('visit')
    if (event.what === 'dispose') ring.dispose()
  }
  for (const { put, settled, lastBusy, limit } of steps) {
    for (const { bytes, dropped } of put)
      if (hand.free >= bytes.length + 16) hand.put(bytes, dropped ? discard : 0)
    if (settled) hand.settle()
    const last = lastBusy && hand.free >= 32 ? hand.put(Uint8Array.of(1), busy) : undefined
    try {
      log.push(forms[form]!(ring, seen, limit))
      log.push(ring.available)
    } catch (error) {
      log.push(isTsbpfError(error) ? error.code : String(error))
    }
    const { received, discarded, bytes } = ring.counters
    log.push([received, discarded, bytes])
    // Nothing more can be put behind a disposed ring.
    if (hand.unmapped > 0) return log
    if (last !== undefined) hand.header(last, 1)
  }
  return log
}

describe('walk over records', () => {
  const record = fc.record({
    bytes: fc.oneof(fc.uint8Array({ minLength: 48, maxLength: 300 }), fc.uint8Array({ maxLength: 60 })),
    dropped: fc.boolean(),
  })
  const step = fc.record({
    put: fc.array(record, { maxLength: 30 }),
    settled: fc.boolean(),
    lastBusy: fc.boolean(),
    limit: fc.constantFrom(Infinity, 0, 1, 3, 20),
  })
  const event = fc.record({
    at: fc.integer({ min: 0, max: 20 }),
    what: fc.constantFrom('throw' as const, 'dispose' as const, 'none' as const),
  })

  for (const form of Object.keys(forms)) {
    it(`is the same with code made for it and without: ${form}`, () => {
      const decoders = form === 'values' ? [undefined, bigs, numbers] : [undefined]
      fc.assert(
        fc.property(fc.array(step, { maxLength: 8 }), event, (steps, event) => {
          for (const decode of decoders) {
            const before = mode.generated
            const compiled = trace(form, decode, steps, event)
            if (steps.length > 0) expect(mode.generated).toBeGreaterThan(before)
            mode.forbidden = true
            try {
              expect(trace(form, decode, steps, event)).toEqual(compiled)
            } finally {
              mode.forbidden = false
            }
          }
        }),
        { numRuns: 40 },
      )
    })
  }

  it('reads of each field what a view of its type reads, and nothing of any other kind', () => {
    const hand = new HandMadeRing()
    using ring = hand.open({ decode: numbers })
    const bytes = Uint8Array.from({ length: 48 }, (_, i) => 255 - i)
    const view = new DataView(bytes.buffer)
    const wide = [view.getBigUint64(0, true), view.getBigInt64(8, true)]
    const rest = [
      view.getUint32(16, true),
      view.getInt16(20, true),
      view.getUint8(22),
      view.getUint32(28, true),
      view.getFloat64(32, true),
    ]
    const put = (): unknown => hand.put(bytes)
    put()
    ring.consumeFields(bigs, (...values) => {
      expect(values).toEqual([...wide, ...rest])
    })
    put()
    ring.consumeFields(numbers, (...values) => {
      expect(values).toEqual([...wide.map(Number), ...rest])
    })
    put()
    put()
    const columns: unknown[] = []
    ring.consumeColumns(bigs, (all) => columns.push(...all.map((column) => [...column])))
    expect(columns).toEqual([...wide, ...rest].map((value) => [value, value]))
    put()
    const [value] = ring.read()
    expect(Object.keys(value!)).toEqual([...paths])
    expect(Object.values(value!)).toEqual([...wide.map(Number), ...rest])
    expect(numbers.decode(view, 0)).toEqual(value)
    const code = (name: string): Error => expect.objectContaining({ code: name }) as Error
    for (const path of ['pair', 'few']) {
      expect(() => recordFields(btf, eventType, [path])).toThrow(code('RING_FIELD'))
    }
    expect(() => recordFields(btf, eventType, ['nothing'])).toThrow(code('BTF_MEMBER'))
  })
})
