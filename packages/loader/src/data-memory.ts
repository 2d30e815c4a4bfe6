import { errnoName } from '@tsbpf/sys'
import type { Mapping, Sys } from '@tsbpf/sys'
import { linux, mapFlags } from '@tsbpf/uapi'
import type { CreatedMap } from './create-maps.ts'
import { errors } from './errors.ts'
import { getElement, putElement } from './create-maps.ts'

/** The memory of a data section as variables use it. */
export interface DataMemory {
  readonly readOnly: boolean
  /** The bytes now: the program's own memory, or a copy. */
  read(): DataView
  /** Lets `change` change the bytes. */
  write(change: (bytes: Uint8Array) => void): void
  dispose(): void
}

/** Opens the memory of a data section: mapped when it is first used, where the kernel can. */
export function dataMemory(sys: Sys, map: CreatedMap, alive: () => void): DataMemory {
  const section = map.spec.data?.section
  const readOnly = section === 'rodata' || section === 'kconfig'
  if (readOnly) return constantMemory(map, alive)
  if (map.mapping !== undefined) return arenaMemory(map.mapping, alive)
  return (map.spec.flags & mapFlags.value('mmapable')) === 0
    ? copiedMemory(sys, map, alive)
    : mappedMemory(sys, map, alive)
}

/** Frozen memory is what it was at load: no need to ask for it. */
function constantMemory(map: CreatedMap, alive: () => void): DataMemory {
  const bytes = map.contents ?? new Uint8Array(map.spec.valueSize)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    readOnly: true,
    read() {
      alive()
      return view
    },
    write: () => undefined,
    dispose: () => undefined,
  }
}

/** An arena is mapped already, and stays so until its object is disposed. */
function arenaMemory(mapping: Mapping, alive: () => void): DataMemory {
  return {
    readOnly: false,
    read() {
      alive()
      return new DataView(mapping.memory)
    },
    write(change) {
      alive()
      change(new Uint8Array(mapping.memory))
    },
    dispose: () => undefined,
  }
}

function mappedMemory(sys: Sys, map: CreatedMap, alive: () => void): DataMemory {
  let mapping: Mapping | undefined
  const open = (): ArrayBuffer => {
    alive()
    if (mapping === undefined) {
      const mapped = sys.mmap(
        map.fd,
        map.spec.valueSize,
        linux.PROT_READ | linux.PROT_WRITE,
        linux.MAP_SHARED,
        0,
      )
      if (typeof mapped === 'number') {
        const what = `map ${map.spec.name} cannot be mapped into memory`
        throw errors.LOADER_FAILED({ what, errno: errnoName(mapped) })
      }
      mapping = mapped
    }
    return mapping.memory
  }
  return {
    readOnly: false,
    read: () => new DataView(open()),
    write(change) {
      change(new Uint8Array(open()))
    },
    dispose() {
      mapping?.unmap()
      mapping = undefined
    },
  }
}

function copiedMemory(sys: Sys, map: CreatedMap, alive: () => void): DataMemory {
  const fetch = (): Uint8Array => {
    alive()
    return getElement(sys, map.fd, map.spec)
  }
  return {
    readOnly: false,
    read: () => new DataView(fetch().buffer),
    write(change) {
      const bytes = fetch()
      change(bytes)
      putElement(sys, map.fd, map.spec.name, 0, bytes)
    },
    dispose: () => undefined,
  }
}
