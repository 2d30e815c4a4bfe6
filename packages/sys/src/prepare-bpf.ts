import type { AttrPointer, BpfCallSpec, PreparedBpf, Sys } from './sys.ts'

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
  return {
    buffers,
    calls: calls.map(({ cmd, attr: initial, pointers: places }) => {
      const attr = initial.slice()
      const pointers: AttrPointer[] = []
      for (const { at, buffer: index } of places) {
        const buffer = buffers[index]
        if (buffer === undefined) throw new RangeError(`there is no buffer ${index}`)
        pointers.push({ at, buffer })
      }
      return { attr, run: () => sys.bpf(cmd, attr, pointers) }
    }),
  }
}
