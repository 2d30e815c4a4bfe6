import { checked, readFile } from '@tsbpf/sys'
import type { Sys, Watch } from '@tsbpf/sys'
import {
  commands,
  linux,
  mapElemAttr,
  perfEventAttr,
  perfEventAttrFlags,
  perfSoftwareEvents,
  perfTypes,
} from '@tsbpf/uapi'
import { errors } from '../errors.ts'
import { pageSize } from '../page-size.ts'
import { PerfMemory } from './perf-memory.ts'
import { recordDecoder, RingRecord } from './record.ts'
import type { RecordDecoder } from './record.ts'
import type { RingMap } from './ring-memory.ts'

/** Options of {@link openPerfBuffer}. */
export interface PerfBufferOptions<T> {
  /** Makes the values, as for a ring buffer. Samples are padded by the kernel to a multiple of 8 bytes less 4. */
  readonly decode?: RecordDecoder<T>
  /** Pages of each processor's buffer: a power of two; 64 unless given. */
  readonly pages?: number
  /** Bytes that must be there before the reader is woken; each record wakes it unless given. */
  readonly watermark?: number
  /** The kernel overwrites the oldest records, and `read` gives the newest first; it wakes nobody. */
  readonly overwritable?: boolean
  /** Called with the number of records that found no room on a processor. */
  readonly onLost?: (count: number, cpu: number) => void
}

/** What a {@link PerfBuffer} has seen. */
export interface PerfCounters {
  readonly received: number
  /** Records that found no room, as the kernel counts them. */
  readonly lost: number
  readonly bytes: number
}

interface Cpu {
  readonly cpu: number
  readonly fd: number
  readonly memory: PerfMemory
  watch: Watch | undefined
}

/**
 * The reading end of a BPF_MAP_TYPE_PERF_EVENT_ARRAY: a buffer for each processor that is online (kernel 4.4; ring
 * buffers are better from 5.8). Records of one processor come in order. One callback at a time (RING_BUSY); use after
 * `dispose` is RING_DISPOSED. Disposing it takes its events out of the map.
 */
export class PerfBuffer<T = Uint8Array> implements Disposable {
  readonly name: string
  readonly #sys: Sys
  readonly #map: RingMap
  readonly #cpus: Cpu[] = []
  readonly #options: PerfBufferOptions<T>
  readonly #decode: (view: DataView, at: number, size: number) => T
  readonly #counts = { received: 0, lost: 0, bytes: 0 }
  #listening = false
  #disposed = false

  /** Use {@link openPerfBuffer}. */
  constructor(sys: Sys, map: RingMap, options: PerfBufferOptions<T>) {
    if (map.type !== 'perf_event_array') {
      throw errors.RING_TYPE({ map: map.name, type: map.type, expected: 'perf_event_array' })
    }
    this.name = map.name
    this.#sys = sys
    this.#map = map
    this.#options = options
    this.#decode = recordDecoder(options.decode, new RingRecord(new DataView(new ArrayBuffer(0))))
    try {
      for (const cpu of onlineCpus(sys)) if (cpu < map.maxEntries) this.#open(cpu)
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  get counters(): PerfCounters {
    return { ...this.#counts }
  }

  /** Reads what is there now, processor by processor; returns how many samples. */
  consume(callback: (value: T, cpu: number) => void): number {
    this.#live()
    let samples = 0
    for (const one of this.#cpus) {
      samples += this.#read(one, callback)
      if (this.#disposed) break
    }
    return samples
  }

  /** The values that are there now. */
  read(): T[] {
    const values: T[] = []
    this.consume((value) => values.push(value))
    return values
  }

  /**
   * Calls back with each value, until it is stopped, the signal is aborted, or the buffer disposed. The event loop asks
   * from its next turn on: what comes before that is told with the next wake, because the kernel forgets one that was
   * there when it was first asked (kernel/events/core.c, perf_poll).
   */
  listen(
    callback: (value: T, cpu: number) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): Disposable & { stop(): void } {
    this.#live()
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#listening || this.#options.overwritable === true) throw errors.RING_BUSY({ map: this.name })
    this.#listening = true
    for (const one of this.#cpus) {
      const ready = (): void => {
        this.#read(one, callback)
      }
      // Not by the poller: the kernel tells only whoever asks first that a perf event is ready (perf_poll).
      const watch = this.#sys.watch(one.fd, ready)
      if (typeof watch === 'number') {
        this.#stop()
        checked(watch, 'watch', undefined, `the perf buffer of cpu ${one.cpu}`)
      } else {
        one.watch = watch
      }
    }
    const stop = (): void => {
      signal?.removeEventListener('abort', stop)
      this.#stop()
    }
    signal?.addEventListener('abort', stop)
    return { stop, [Symbol.dispose]: stop }
  }

  /** Ends it; a second call does nothing. The map stays the caller's. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#stop()
    for (const { cpu, fd, memory } of this.#cpus) {
      this.#element('map_delete_elem', cpu)
      memory.unmap()
      this.#sys.close(fd)
    }
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #live(): void {
    if (this.#disposed) throw errors.RING_DISPOSED({ map: this.name })
  }

  #stop(): void {
    this.#listening = false
    for (const one of this.#cpus) {
      one.watch?.stop()
      one.watch = undefined
    }
  }

  #read({ cpu, fd, memory }: Cpu, callback: (value: T, cpu: number) => void): number {
    const counts = this.#counts
    const visitor = {
      sample: (view: DataView, at: number, size: number): void => {
        counts.received++
        counts.bytes += size
        callback(this.#decode(view, at, size), cpu)
      },
      lost: (count: number): void => {
        counts.lost += count
        this.#options.onLost?.(count, cpu)
      },
    }
    if (this.#options.overwritable !== true) return memory.read(visitor)
    checked(this.#sys.ioctl(fd, linux.PERF_EVENT_IOC_PAUSE_OUTPUT, 1), 'ioctl')
    try {
      return memory.readBackward(visitor)
    } finally {
      if (!this.#disposed) this.#sys.ioctl(fd, linux.PERF_EVENT_IOC_PAUSE_OUTPUT, 0)
    }
  }

  #open(cpu: number): void {
    const { pages = 64, watermark, overwritable = false } = this.#options
    const attr = perfEventAttr.encode(
      {
        type: perfTypes.value('software'),
        size: perfEventAttr.size,
        config: BigInt(perfSoftwareEvents.value('bpf_output')),
        sample_type: BigInt(linux.PERF_SAMPLE_RAW),
        // These two stand in one place each with sample_period and wakeup_events, which are meant where no flag says else.
        sample_freq: 1n,
        wakeup_watermark: watermark ?? 1,
        flags:
          (watermark === undefined ? 0n : flagBit('watermark')) |
          (overwritable ? flagBit('write_backward') : 0n),
      },
      true,
    )
    const sys = this.#sys
    const page = pageSize(sys)
    const size = pages * page
    const fd = checked(sys.perfEventOpen(attr, -1, cpu, -1, 0), 'perf_event_open', undefined, `cpu ${cpu}`)
    // The kernel overwrites what cannot be told to be read.
    const protection = linux.PROT_READ | (overwritable ? 0 : linux.PROT_WRITE)
    const mapping = sys.mmap(fd, page + size, protection, linux.MAP_SHARED, 0)
    if (typeof mapping === 'number') {
      sys.close(fd)
      checked(mapping, 'mmap', undefined, `the perf buffer of cpu ${cpu}`)
      return
    }
    this.#cpus.push({ cpu, fd, memory: new PerfMemory(mapping, page, size), watch: undefined })
    checked(this.#element('map_update_elem', cpu, fd), 'bpf', 'map_update_elem', this.name)
    checked(sys.ioctl(fd, linux.PERF_EVENT_IOC_ENABLE, 0), 'ioctl')
  }

  #element(command: 'map_update_elem' | 'map_delete_elem', cpu: number, fd?: number): number {
    const { offsets } = mapElemAttr
    const [key, value] = [new Uint8Array(4), new Uint8Array(4)]
    new DataView(key.buffer).setUint32(0, cpu, true)
    new DataView(value.buffer).setUint32(0, fd ?? 0, true)
    const pointers = [{ at: offsets.key, buffer: key }]
    if (fd !== undefined) pointers.push({ at: offsets.value, buffer: value })
    return this.#sys.bpf(
      commands.value(command),
      mapElemAttr.encode({ map_fd: this.#map.fd }, true),
      pointers,
    )
  }
}

function flagBit(name: keyof typeof perfEventAttrFlags): bigint {
  return 1n << BigInt(perfEventAttrFlags[name].shift)
}

function onlineCpus(sys: Sys): number[] {
  const text = new TextDecoder().decode(readFile(sys, '/sys/devices/system/cpu/online'))
  return text
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
}

/**
 * Opens the reading end of a perf event array, which stays the caller's and must stay open. Needs CAP_PERFMON.
 * Throws RING_TYPE and `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { openPerfBuffer } from '@tsbpf/maps'
 * using events = openPerfBuffer(sys, map, { onLost: (count, cpu) => console.warn(`${count} lost on ${cpu}`) })
 * events.listen((bytes, cpu) => console.log(cpu, bytes))
 * ```
 */
export function openPerfBuffer<T = Uint8Array>(
  sys: Sys,
  map: RingMap,
  options: PerfBufferOptions<T> = {},
): PerfBuffer<T> {
  return new PerfBuffer(sys, map, options)
}
