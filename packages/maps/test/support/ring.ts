import { Fd, progTestRun } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { createMap, sumCpus } from '../../src/index.ts'
import type { BpfMap, RingRecord } from '../../src/index.ts'
import { loadProgram, numbered, numberedOutput } from './programs.ts'
import { shape, u32, u64 } from './shapes.ts'

/** A ring buffer, or a perf event array, and a program that fills it. */
export class Producer implements Disposable {
  readonly map: BpfMap
  readonly #sys: Sys
  readonly #state: BpfMap<number, readonly bigint[]>
  readonly #prog: Fd

  constructor(
    sys: Sys,
    options: {
      readonly bytes?: number
      readonly flags?: number
      readonly mapFlags?: number
      readonly perf?: boolean
    } = {},
  ) {
    const { bytes = 4096, flags = 0, mapFlags = 0, perf = false } = options
    this.#sys = sys
    this.map = perf
      ? createMap(sys, shape('perf_event_array', { valueSize: 4, maxEntries: 64 }))
      : createMap(sys, shape('ringbuf', { keySize: 0, valueSize: 0, maxEntries: bytes, flags: mapFlags }))
    // Two values for each processor: number and drops.
    this.#state = createMap<number, readonly bigint[]>(
      sys,
      shape('percpu_array', { valueSize: 16, maxEntries: 1 }),
      {
        codecs: {
          key: u32,
          value: {
            size: 16,
            decode: (view: DataView, at: number) => [u64.decode(view, at), u64.decode(view, at + 8)],
            encodeInto: () => undefined,
          },
        },
      },
    )
    this.#prog = new Fd(
      sys,
      loadProgram(sys, 'xdp', numberedOutput(this.map.fd, this.#state.fd, flags, perf)),
      'program',
    )
  }

  /** Descriptor of the program, for another thread to run it. */
  get program(): number {
    return this.#prog.value
  }

  /** Runs the program; returns how many records were made and how many of them found no room. */
  run(times = 1): { readonly produced: number; readonly dropped: number } {
    progTestRun(this.#sys, { prog_fd: this.#prog.value, data_in: new Uint8Array(64), repeat: times })
    return this.totals()
  }

  totals(): { readonly produced: number; readonly dropped: number } {
    const perCpu = this.#state.get(0) as unknown as readonly (readonly [bigint, bigint])[]
    const [produced, dropped] = sumCpus(perCpu)
    return { produced: Number(produced), dropped: Number(dropped) }
  }

  dispose(): void {
    this.#prog.dispose()
    this.#state.dispose()
    this.map.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Checks each record that comes: size, checksum, contents, and the order of each processor. */
export class Checker {
  received = 0
  missing = 0
  readonly #next = new Map<number, number>()

  readonly check = (record: RingRecord): void => {
    const seq = record.u64AsNumber(0)
    const cpu = record.u64AsNumber(8)
    if (record.size !== numbered.size(seq)) throw new Error(`record ${seq} has ${record.size} bytes`)
    if (record.u64AsNumber(16) !== numbered.check(seq, cpu)) throw new Error(`record ${seq}: checksum`)
    for (let at = 24; at < record.size; at += 8) {
      if (record.u64AsNumber(at) !== seq) throw new Error(`record ${seq}: byte ${at}`)
    }
    const next = this.#next.get(cpu) ?? 0
    if (seq < next) throw new Error(`record ${seq} of processor ${cpu} after ${next - 1}`)
    this.missing += seq - next
    this.#next.set(cpu, seq + 1)
    this.received++
  }
}
