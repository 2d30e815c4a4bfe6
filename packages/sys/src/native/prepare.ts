import { linux } from '@tsbpf/uapi'
import { failure } from '../errno.ts'
import { placed } from '../prepare-bpf.ts'
import type { BpfCallSpec, Mapping, PreparedBpf, PreparedCall } from '../sys.ts'
import type { Addon } from './addon.ts'

/** Memory that the addon mapped, by the number it knows it under. */
export interface AddonMapping extends Mapping {
  readonly id: number
}

const align = (at: number): number => Math.ceil(at / 16) * 16

const protection = linux.PROT_READ | linux.PROT_WRITE
const flags = linux.MAP_PRIVATE | linux.MAP_ANONYMOUS
const refused = failure('EBADF')

/**
 * Calls over one mapping that holds attrs and buffers. The addon knows the calls as long as the mapping, and the
 * closures hold the mapping, so that a call is refused only where its memory was moved elsewhere.
 */
export function prepareOver(
  addon: Addon,
  map: (
    fd: number,
    length: number,
    protection: number,
    flags: number,
    offset: number,
  ) => AddonMapping | number,
  sizes: readonly number[],
  specs: readonly BpfCallSpec[],
): PreparedBpf | undefined {
  let end = 0
  const reserve = (size: number): number => {
    const at = align(end)
    end = at + size
    return at
  }
  const buffersAt = sizes.map(reserve)
  const attrsAt = specs.map(({ attr }) => reserve(attr.length))
  const resultsAt = specs.map(({ repeat = 0 }) => reserve(4 * repeat))
  const mapping = map(-1, Math.max(end, 1), protection, flags, 0)
  if (typeof mapping === 'number') return undefined
  const { memory, id } = mapping
  const calls: PreparedCall[] = []
  for (const [index, { cmd, attr: initial, pointers, repeat = 0 }] of specs.entries()) {
    const attrAt = attrsAt[index] ?? 0
    const places = Float64Array.from(
      pointers.flatMap((pointer) => {
        const { at, offset, size, step } = placed(pointer, sizes, repeat)
        return [at, (buffersAt[pointer.buffer] ?? 0) + offset, size, step]
      }),
    )
    const attr = new Uint8Array(memory, attrAt, initial.length)
    attr.set(initial)
    const results = new Int32Array(memory, resultsAt[index] ?? 0, repeat)
    const handle =
      repeat === 0
        ? addon.prepare(id, cmd, attrAt, attr.length, places)
        : addon.prepareMany(id, cmd, attrAt, attr.length, places, repeat, results.byteOffset)
    if (handle < 0) return undefined
    calls.push({
      attr,
      results,
      // Of detached memory the attr has no bytes; asking the buffer itself would cost a call.
      run: () => (attr.length === 0 ? refused : addon.run(handle)),
      runMany: (count, stop) => (attr.length === 0 ? refused : addon.runMany(handle, count, stop ? 1 : 0)),
    })
  }
  return { buffers: buffersAt.map((at, index) => new Uint8Array(memory, at, sizes[index] ?? 0)), calls }
}
