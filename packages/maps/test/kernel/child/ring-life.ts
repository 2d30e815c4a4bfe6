import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isTsbpfError } from '@tsbpf/base'
import { nativeSys } from '@tsbpf/sys/native'
import { createMap, openRingBuffer, openUserRingBuffer } from '../../../src/index.ts'
import type { RingRecord } from '../../../src/index.ts'
import { Producer } from '../../support/ring.ts'
import { shape } from '../../support/shapes.ts'

/** What {@link life} saw. */
export interface RingLife {
  /** Mappings of rings: while all are there, and when only one is held. */
  readonly mapped: readonly [all: number, held: number]
  readonly read: number
  /** Codes, or names, of the errors of each use after dispose. */
  readonly errors: readonly string[]
}

const mapped = (): number => readFileSync('/proc/self/maps', 'utf8').split('anon_inode:bpf-map').length - 1

async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let i = 0; i < 10; i++) {
    gc()
    await setTimeout(5)
  }
}

const attempt = (use: () => unknown): string => {
  try {
    return `${String(use())}, no error`
  } catch (error) {
    return isTsbpfError(error) ? error.code : error instanceof Error ? error.name : 'unknown'
  }
}

/**
 * Rings that nobody holds are unmapped by the garbage collector, held ones are not, and nothing that a caller kept of a
 * disposed one ends the process.
 */
export async function life(): Promise<RingLife> {
  const sys = nativeSys()
  using producer = new Producer(sys)
  const before = mapped()
  const held = openRingBuffer(sys, producer.map)
  for (let i = 0; i < 20; i++) openRingBuffer(sys, producer.map)
  const all = mapped() - before
  await collect()
  const left = mapped() - before
  producer.run(5)
  const read = held.read().length

  let view: DataView | undefined
  let record: RingRecord | undefined
  const decode = {
    size: 8,
    decode(bytes: DataView): number {
      view = bytes
      return 1
    },
  }
  held.dispose()
  const ring = openRingBuffer(sys, producer.map, { decode })
  producer.run(2)
  ring.consume(() => undefined, 1)
  const errors: string[] = []
  ring.consumeRecords((one) => {
    record = one
    ring.dispose()
    // Within the callback, but its memory is gone.
    errors.push(attempt(() => one.u32(0)))
  })
  using map = createMap(sys, shape('user_ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }))
  const user = openUserRingBuffer(sys, map)
  const sample = user.reserve(64)
  const bytes = sample?.bytes ?? new Uint8Array()
  user.dispose()
  bytes[0] = 7
  errors.push(
    attempt(() => record?.u32(0)),
    attempt(() => ring.read()),
    attempt(() => ring.listen(() => undefined)),
    attempt(() => ring.available),
    attempt(() => view?.getUint8(0)),
    attempt(() => sample?.submit()),
    attempt(() => bytes.length),
  )
  await collect()
  return { mapped: [all, left], read, errors }
}
