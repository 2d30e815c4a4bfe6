import { nulTerminated } from '@tsbpf/base'
import { btfLoad, errnoName, Fd, mapCreate, SyscallError } from '@tsbpf/sys'
import type { MapCreateFields, Sys } from '@tsbpf/sys'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import { cached, checkPrivilege } from './evidence.ts'
import type { FeatureEvidence } from './evidence.ts'

/** What a probe creates; `btf` types of key and value, `inner` a template. */
type Wanted = Omit<MapCreateFields, 'map_type'> & { readonly needs?: 'btf' | 'inner' }

/** The smallest map of most types. */
const small: Wanted = { key_size: 4, value_size: 4, max_entries: 1 }
const fifo: Wanted = { key_size: 0, value_size: 4, max_entries: 1 }
const ring: Wanted = { key_size: 0, value_size: 0, max_entries: 65_536 }
const storage: Wanted = { ...small, max_entries: 0, map_flags: mapFlags.value('no_prealloc') }
const ofCgroup: Wanted = { key_size: 8, value_size: 8, max_entries: 0 }

/** What a type wants instead. */
const wants: ReadonlyMap<MapTypeName, Wanted> = new Map<MapTypeName, Wanted>([
  ['stack_trace', { ...small, value_size: 8 }],
  ['lpm_trie', { ...small, key_size: 8, map_flags: mapFlags.value('no_prealloc') }],
  ['array_of_maps', { ...small, needs: 'inner' as const }],
  ['hash_of_maps', { ...small, needs: 'inner' as const }],
  ['cgroup_storage', ofCgroup],
  ['percpu_cgroup_storage', ofCgroup],
  ['queue', fifo],
  ['stack', fifo],
  ['bloom_filter', fifo],
  ['ringbuf', ring],
  ['user_ringbuf', ring],
  ['arena', { ...fifo, value_size: 0, map_flags: mapFlags.value('mmapable') }],
  ['insn_array', { ...small, value_size: 16 }],
  ['rhash', { ...small, map_flags: mapFlags.value('no_prealloc') }],
  // A structure of the kernel's that is none of its operations.
  ['struct_ops', { ...small, btf_vmlinux_value_type_id: 1 }],
  ...(['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage'] as const).map(
    (type) => [type, { ...storage, needs: 'btf' as const }] as const,
  ),
])

/** A BTF object with one type, `int` (Documentation/bpf/btf.rst). */
function intBtf(): Uint8Array {
  const strings = [0, ...nulTerminated('int')]
  const words = [0x1_eb9f, 24, 0, 16, 16, strings.length, 1, 1 << 24, 4, (1 << 24) | 32]
  const bytes = new Uint8Array(words.length * 4 + strings.length)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true)
  bytes.set(strings, words.length * 4)
  return bytes
}

/**
 * Whether this kernel has a map type: the smallest map of it is created and closed. Asked once for each door.
 * Throws LOADER_PROBE_DENIED where this process may not create maps, and `SyscallError` for want of memory or descriptors.
 *
 * @example
 * ```ts no-run
 * import { probeMapType } from '@tsbpf/loader'
 * console.log(probeMapType(sys, 'arena').supported)
 * ```
 */
export function probeMapType(sys: Sys, type: MapTypeName): FeatureEvidence {
  return cached(sys, `map type ${type}`, () => {
    const { needs, ...fields } = wants.get(mapTypes.byValue(mapTypes.value(type))?.name ?? type) ?? small
    const sizes = `key ${fields.key_size ?? 0}, value ${fields.value_size ?? 0}, ${fields.max_entries ?? 0} entries`
    const tried = `create a map of type ${type}: ${sizes}`
    const made: Fd[] = []
    const keep = (fd: number, name: string): number => {
      made.push(new Fd(sys, fd, name))
      return fd
    }
    try {
      const request: MapCreateFields = { ...fields, map_type: mapTypes.value(type) }
      if (needs === 'inner') {
        const inner = mapCreate(sys, { ...small, map_type: mapTypes.value('array') })
        keep(mapCreate(sys, { ...request, inner_map_fd: keep(inner, 'inner map') }), 'map')
      } else if (needs === 'btf') {
        const { fd } = btfLoad(sys, { btf: intBtf() })
        if (fd < 0) return { supported: false, tried, answer: `BTF: ${errnoName(fd)}` }
        const types = { btf_fd: keep(fd, 'BTF'), btf_key_type_id: 1, btf_value_type_id: 1 }
        keep(mapCreate(sys, { ...request, ...types }), 'map')
      } else keep(mapCreate(sys, request), 'map')
      return { supported: true, tried, answer: 'ok' }
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      const { errnoName: errno } = error
      checkPrivilege(sys, tried, errno)
      if (errno === 'ENOMEM' || errno === 'EMFILE' || errno === 'ENFILE') throw error
      // The kernel looks for the structure only once it knows the type.
      return { supported: type === 'struct_ops' && errno === 'ENOTSUPP', tried, answer: errno }
    } finally {
      for (const fd of made) fd.dispose()
    }
  })
}
