import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { openRingBuffer } from '../../../src/index.ts'
import { Checker, Producer } from '../../support/ring.ts'

/**
 * What a Worker does while this thread reads. `load`: it runs the program as fast as it can, and the reader pauses now and
 * then, so that records are dropped and counted. `wake`: it makes the next record when the one before was read, so that a
 * lost wake-up stops it.
 */
export interface Task {
  readonly how: 'load' | 'wake'
  readonly program: number
  readonly times: number
  readonly read: SharedArrayBuffer
}

/** Records of each task; in the VM an emulator makes them. */
export const wanted =
  process.env['TSBPF_VM'] === undefined ? { load: 30_000, wake: 500 } : { load: 6000, wake: 60 }

/** What {@link consume} saw. */
export interface RingLoad {
  readonly produced: number
  readonly received: number
  readonly dropped: number
  readonly missing: number
  readonly pauses: number
}

/** The Worker's part. */
export function produce({ how, program, times, read }: Task): void {
  const sys = nativeSys()
  const came = new Int32Array(read)
  const data = new Uint8Array(64)
  const repeat = how === 'load' ? 500 : 1
  for (let made = 0; made < times; made += repeat) {
    progTestRun(sys, { prog_fd: program, data_in: data, repeat })
    if (how !== 'wake') continue
    for (let seen = Atomics.load(came, 0); seen <= made; seen = Atomics.load(came, 0)) {
      if (Atomics.wait(came, 0, seen, 5000) === 'timed-out') throw new Error(`record ${made} woke nobody`)
    }
  }
}

/** This thread's part. */
export async function consume(worker: Worker, how: 'load' | 'wake'): Promise<RingLoad> {
  const sys = nativeSys()
  using producer = new Producer(sys, { bytes: 65_536 })
  using ring = openRingBuffer(sys, producer.map)
  const read = new SharedArrayBuffer(4)
  const came = new Int32Array(read)
  const checker = new Checker()
  const listening = ring.listenRecords((record) => {
    checker.check(record)
    Atomics.store(came, 0, checker.received)
    if (how === 'wake') Atomics.notify(came, 0)
  })
  const task: Task = { how, program: producer.program, times: wanted[how], read }
  const work = { done: false }
  worker.postMessage(task)
  const ended = once(worker, 'message').finally(() => (work.done = true))
  let pauses = 0
  while (how === 'load' && !work.done) {
    await setTimeout(3)
    listening.pause()
    // The first time until the ring is full.
    while (pauses === 0 && producer.totals().dropped === 0) await setTimeout(1)
    await setTimeout(3)
    listening.resume()
    pauses++
  }
  await ended
  while (ring.available > 0) await setTimeout(1)
  const { received, missing } = checker
  return { ...producer.totals(), received, missing, pauses }
}
