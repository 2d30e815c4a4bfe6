import { readlinkSync } from 'node:fs'
import { isTsbpfError } from '@tsbpf/base'
import { kernelMaps, linkInfo, programInfo } from '@tsbpf/loader'
import { readMapInfo } from '@tsbpf/maps'
import type { MapInfo } from '@tsbpf/maps'
import { checked, Fd, fdById, mapElements, objGet, objUnpin } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { mapFlags } from '@tsbpf/uapi'
import type { Leftover, LeftoverObject } from './leftover.ts'
import { below, mountsOf } from './mounts.ts'

/** What is pinned in BPF file systems. */
export function pinLeftovers(sys: Sys): readonly Leftover[] {
  return mountsOf('bpf').flatMap((mount) =>
    [...below(mount, 'files')].flatMap((path) => {
      const object = pinnedObject(sys, path)
      return object === undefined ? [] : [pinOf(sys, path, object)]
    }),
  )
}

function pinOf(sys: Sys, path: string, object: LeftoverObject): Leftover {
  const id = object.id ?? ''
  return {
    ...{ name: `pin:${path}:${object.kind}:${id}`, kind: 'pin', place: path, how: undefined, object },
    remove: () => {
      objUnpin(sys, path)
    },
  }
}

/** What is pinned at a path; `undefined` where it is gone, or this user may not open it. */
function pinnedObject(sys: Sys, path: string): LeftoverObject | undefined {
  try {
    using fd = new Fd(sys, objGet(sys, path), path)
    const file = readlinkSync(`/proc/self/fd/${fd.value}`)
    if (file.includes('bpf-map')) {
      const { id, name } = readMapInfo(sys, fd.value)
      return { kind: 'map', id, name }
    }
    if (file.includes('bpf-prog')) {
      const { id, name } = programInfo(sys, fd.value)
      return { kind: 'prog', id, name }
    }
    if (!/bpf[_-]link/.test(file)) return { kind: 'object', id: undefined, name: file }
    const { id, type } = linkInfo(sys, fd.value)
    return { kind: 'link', id, name: type }
  } catch (error) {
    if (isTsbpfError(error, 'SYS_CALL_FAILED')) return undefined
    throw error
  }
}

/** Where a struct_ops map says whether it is registered (include/linux/bpf.h, bpf_struct_ops_common_value). */
const state = { at: 4, inUse: 1 }

/** Operations that are registered by their map alone, without a link. */
export function structOpsLeftovers(sys: Sys): readonly Leftover[] {
  return [...kernelMaps(sys)].flatMap((map) => {
    if (map.type !== 'struct_ops' || (map.flags & mapFlags.value('link')) !== 0) return []
    const { id, name } = map
    const found = withElement(sys, map, (element) => {
      if (element.lookup() < 0) return false
      const { buffer, byteOffset } = element.value
      return new DataView(buffer, byteOffset).getUint32(state.at, true) === state.inUse
    })
    if (!found) return []
    const object = { kind: 'map', id, name } as const
    return [
      {
        ...{ name: `struct_ops:${name}:${id}`, kind: 'struct_ops', place: name, how: undefined, object },
        remove: () => {
          withElement(sys, map, (element) => checked(element.delete(), 'bpf', 'map_delete_elem', name))
        },
      },
    ]
  })
}

function withElement<T>(sys: Sys, map: MapInfo, use: (element: ReturnType<typeof mapElements>) => T): T {
  using fd = new Fd(sys, fdById(sys, 'map', map.id), `map ${map.id}`)
  return use(mapElements(sys, fd.value, { keySize: map.keySize, valueSize: map.valueSize }))
}
