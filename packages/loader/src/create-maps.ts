import { isTsbpfError } from '@tsbpf/base'
import { createMapFd, possibleCpus } from '@tsbpf/maps'
import type { CreateMapOptions } from '@tsbpf/maps'
import type { MapSpec } from '@tsbpf/object'
import { errnoName, failure, mapFreeze } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { commands, mapElemAttr, mapFlags } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { OwnedFds } from './owned-fds.ts'
import type { PlannedMap } from './plan.ts'
import { roundRingSize } from './ring-size.ts'

/** Map types whose key and value the kernel does not let BTF describe (libbpf's bpf_object__create_map). */
const withoutBtf = new Set([
  'perf_event_array',
  'cgroup_array',
  'stack_trace',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'devmap_hash',
  'cpumap',
  'xskmap',
  'sockmap',
  'sockhash',
  'queue',
  'stack',
])

/** Map types that have a slot for each processor unless the object says otherwise (libbpf's map_set_def_max_entries). */
const perCpuSlots = new Set(['perf_event_array'])
const ringTypes = new Set(['ringbuf', 'user_ringbuf'])

const EINVAL = failure('EINVAL')

/** What creating the maps of an object needs. */
export interface MapContext {
  readonly sys: Sys
  /** Owns every descriptor that is made. */
  readonly owned: OwnedFds
  /** Descriptor of the object's BTF in the kernel; `undefined` where it has none. */
  readonly btfFd: number | undefined
}

/** A map that the kernel has. */
export interface CreatedMap {
  readonly fd: number
  /** As it was created: number of entries and flags may differ from the object's. */
  readonly spec: MapSpec
  /** Initial bytes of a data section. */
  readonly contents: Uint8Array | undefined
}

/** Creates a map, fills a data section and freezes constants. Throws what `createMapFd` throws, and LOADER_FAILED. */
export function createPlannedMap(context: MapContext, planned: PlannedMap): CreatedMap {
  const { sys, owned } = context
  const { contents, freeze } = planned
  const spec = { ...planned.spec, ...withoutElements(planned.spec), maxEntries: entriesOf(sys, planned) }
  const inner = spec.inner === undefined ? undefined : owned.add(createFd(context, spec.inner, undefined))
  const { fd, flags } = createWithFallback(context, spec, inner)
  owned.add(fd)
  if (inner !== undefined) owned.close(inner)
  if (contents !== undefined) putElement(sys, fd, spec.name, 0, contents)
  if (freeze) {
    try {
      mapFreeze(sys, fd)
    } catch (error) {
      // Kernels before 5.2 know no frozen maps: programs may not write there all the same.
      if (!isTsbpfError(error, 'SYS_CALL_FAILED') || error.context['errnoName'] !== 'EINVAL') throw error
    }
  }
  return { fd, spec: { ...spec, flags }, contents }
}

/** Kernels before 5.5 cannot map an array into memory, which only makes its variables slower. */
function createWithFallback(
  context: MapContext,
  spec: MapSpec,
  inner: number | undefined,
): { readonly fd: number; readonly flags: number } {
  const mappable = mapFlags.value('mmapable')
  try {
    return { fd: createFd(context, spec, inner), flags: spec.flags }
  } catch (error) {
    const optional = spec.data !== undefined && (spec.flags & mappable) !== 0
    if (!optional || !isTsbpfError(error, 'MAP_CREATE') || error.context['errno'] !== errnoName(EINVAL)) {
      throw error
    }
    const flags = spec.flags & ~mappable
    return { fd: createFd(context, { ...spec, flags }, inner), flags }
  }
}

function createFd(context: MapContext, spec: MapSpec, innerFd: number | undefined): number {
  const { btfFd } = context
  const { keyType, valueType } = spec
  const described = btfFd !== undefined && valueType !== undefined && !withoutBtf.has(spec.type)
  const options: CreateMapOptions = {
    btf: described ? { fd: btfFd, keyType: keyType ?? 0, valueType } : undefined,
    innerFd,
    numaNode: spec.numaNode,
    extra: spec.extra,
  }
  return createMapFd(context.sys, spec, options)
}

function entriesOf(sys: Sys, { spec, maxEntries }: PlannedMap): number {
  if (maxEntries === 0 && perCpuSlots.has(spec.type)) return possibleCpus(sys)
  return ringTypes.has(spec.type) ? roundRingSize(maxEntries) : maxEntries
}

/** The kernel makes no ring with sizes of keys and values; an object may name its records' type that way. */
function withoutElements(spec: MapSpec): Partial<MapSpec> {
  return ringTypes.has(spec.type)
    ? { keySize: 0, valueSize: 0, keyType: undefined, valueType: undefined }
    : {}
}

/** Stores a value under an index. */
export function putElement(sys: Sys, fd: number, map: string, index: number, value: Uint8Array): void {
  const key = new Uint8Array(4)
  new DataView(key.buffer).setUint32(0, index, true)
  const { offsets } = mapElemAttr
  const result = sys.bpf(commands.value('map_update_elem'), mapElemAttr.encode({ map_fd: fd }, true), [
    { at: offsets.key, buffer: key },
    { at: offsets.value, buffer: value },
  ])
  if (result < 0) {
    const what = `map ${map} cannot be given its initial contents`
    throw errors.LOADER_FAILED({ what, errno: errnoName(result) })
  }
}

/** Puts descriptors of maps or programs into the slots that the object names. */
export function putSlots(sys: Sys, map: CreatedMap, fdOf: (name: string) => number | undefined): void {
  const value = new Uint8Array(4)
  for (const { index, name } of map.spec.values) {
    const fd = fdOf(name)
    // A program that is left out leaves its slot empty, as in libbpf.
    if (fd === undefined) continue
    new DataView(value.buffer).setUint32(0, fd, true)
    putElement(sys, map.fd, map.spec.name, index, value)
  }
}
