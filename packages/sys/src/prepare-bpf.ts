import { failure } from './errno.ts'
import type { AttrPointer, BpfCallSpec, PreparedBpf, PreparedCall, PreparedPointer, Sys } from './sys.ts'

/** A pointer with nothing left out. Throws `RangeError` where it leaves its buffer, at any of `repeat` calls. */
export function placed(
  { at, buffer, offset = 0, size, step = 0 }: PreparedPointer,
  sizes: readonly number[],
  repeat: number,
): Required<PreparedPointer> {
  const whole = sizes[buffer]
  if (whole === undefined) throw new RangeError(`there is no buffer ${buffer}`)
  const own = size ?? whole - offset
  const last = offset + own + step * Math.max(0, repeat - 1)
  if (!(offset >= 0 && own >= 0 && step >= 0 && last <= whole)) {
    throw new RangeError(`a pointer leaves buffer ${buffer}, which has ${whole} bytes`)
  }
  return { at, buffer, offset, size: own, step }
}

/**
 * Calls of bpf(2) that will be made often, with their buffers: by the door's own means where it has any, else with
 * `bpf`. See `Sys.prepareBpf`. Buffers are 16-byte aligned where the door has its own memory.
 *
 * @example
 * ```ts
 * import { mapCreate, prepareBpf } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * import { commands, mapElemAttr } from '@tsbpf/uapi'
 * const sys = nativeSys()
 * const fd = mapCreate(sys, { map_type: 2, key_size: 4, value_size: 8, max_entries: 1 })
 * const { buffers, calls } = prepareBpf(sys, [4, 8], [{
 *   cmd: commands.value('map_lookup_elem'),
 *   attr: mapElemAttr.encode({ map_fd: fd }, true),
 *   pointers: [{ at: mapElemAttr.offsets.key, buffer: 0 }, { at: mapElemAttr.offsets.value, buffer: 1 }],
 * }])
 * console.log(calls[0]?.run(), buffers[1]?.length) // 0 8
 * sys.close(fd)
 * ```
 */
export function prepareBpf(sys: Sys, sizes: readonly number[], calls: readonly BpfCallSpec[]): PreparedBpf {
  const prepared = sys.prepareBpf?.(sizes, calls)
  if (prepared !== undefined) return prepared
  const buffers = sizes.map((size) => new Uint8Array(size))
  return { buffers, calls: calls.map((spec) => plainCall(sys, sizes, buffers, spec)) }
}

function plainCall(
  sys: Sys,
  sizes: readonly number[],
  buffers: readonly Uint8Array[],
  { cmd, attr: initial, pointers: specs, repeat = 0 }: BpfCallSpec,
): PreparedCall {
  const attr = initial.slice()
  const places = specs.map((spec) => placed(spec, sizes, repeat))
  const pointersOf = (index: number): AttrPointer[] =>
    places
      .filter(({ size }) => size > 0)
      .map(({ at, buffer, offset, size, step }) => {
        const from = offset + index * step
        return { at, buffer: (buffers[buffer] ?? new Uint8Array(0)).subarray(from, from + size) }
      })
  const first = pointersOf(0)
  const results = new Int32Array(repeat)
  return {
    attr,
    results,
    run: () => (repeat === 0 ? sys.bpf(cmd, attr, first) : failure('EBADF')),
    runMany(count, stop) {
      if (count > repeat) return failure('EBADF')
      for (let made = 0; made < count; made++) {
        const result = sys.bpf(cmd, attr, pointersOf(made))
        results[made] = result
        if (stop && result !== 0) return made + 1
      }
      return count
    },
  }
}
