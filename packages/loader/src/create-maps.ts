import { isTsbpfError } from '@tsbpf/base'
import { createMapFd, pageSize, possibleCpus } from '@tsbpf/maps'
import type { CreateMapOptions } from '@tsbpf/maps'
import type { MapSpec } from '@tsbpf/object'
import { errnoName, failure } from '@tsbpf/sys'
import type { Mapping, Sys } from '@tsbpf/sys'
import { commands, linux, mapElemAttr, mapFlags } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { ModuleBtf } from './kernel-modules.ts'
import type { OwnedFds } from './owned-fds.ts'
import { pinMap, reusePinned } from './pin-maps.ts'
import type { PlannedMap } from './plan.ts'
import type { PlannedStructOps } from './struct-ops.ts'
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
  /** Descriptor of a BPF token. */
  readonly token: number | undefined
  /** A descriptor of a module's BTF, opened once. */
  readonly moduleFd: (module: ModuleBtf, what: string) => number
}

/** A map that the kernel has. */
export interface CreatedMap {
  readonly fd: number
  /** As it was created: number of entries and flags may differ from the object's. */
  readonly spec: MapSpec
  /** Initial bytes of a data section. */
  readonly contents: Uint8Array | undefined
  /** The memory of an arena; the kernel maps it once in a process. */
  readonly mapping: Mapping | undefined
  readonly structOps: PlannedStructOps | undefined
  /** True for one that was pinned before: it has contents of its own. */
  readonly reused: boolean
}

/**
 * Creates a map, fills a data section and freezes constants, or takes the one that is pinned where it should be.
 * Throws what `createMapFd` throws, MAP_INCOMPATIBLE, LOADER_PIN and LOADER_FAILED.
 */
export function createPlannedMap(context: MapContext, planned: PlannedMap): CreatedMap {
  const { sys, owned } = context
  const { pin } = planned
  const spec = { ...planned.spec, ...withoutElements(planned.spec), maxEntries: entriesOf(sys, planned) }
  // An arena whose address the object fixes can be mapped there alone, and a door takes no addresses.
  const wanted = spec.type === 'arena' ? { ...spec, extra: 0n } : spec
  if (pin === undefined) return createFresh(context, planned, wanted)
  for (let tries = 0; tries < 2; tries++) {
    const reused = reusePinned(sys, wanted, pin)
    if (reused !== undefined) return reuse(context, planned, wanted, owned.add(reused))
    const created = createFresh(context, planned, wanted)
    if (pinMap(sys, owned, created.fd, spec, pin)) return created
    // Another process has pinned its own meanwhile: that one it is.
    created.mapping?.unmap()
    owned.close(created.fd)
  }
  throw errors.LOADER_PIN({ map: spec.name, done: 'pinned at', path: pin.path, errno: 'EEXIST' })
}

function reuse({ sys, owned }: MapContext, planned: PlannedMap, spec: MapSpec, fd: number): CreatedMap {
  const { structOps } = planned
  const contents = planned.freeze ? getElement(sys, fd, spec) : undefined
  const mapping = spec.type === 'arena' ? mapArena(sys, owned, fd, spec) : undefined
  return { fd, spec, contents, mapping, structOps, reused: true }
}

function createFresh(context: MapContext, planned: PlannedMap, spec: MapSpec): CreatedMap {
  const { sys, owned } = context
  const { contents, freeze, structOps } = planned
  const inner = spec.inner === undefined ? undefined : owned.add(createFd(context, spec.inner, {}))
  const { fd, flags } = createWithFallback(context, spec, {
    innerFd: inner,
    ...(structOps === undefined ? {} : kernelValue(context, spec, structOps)),
  })
  owned.add(fd)
  if (inner !== undefined) owned.close(inner)
  if (spec.type === 'arena') {
    const mapping = mapArena(sys, owned, fd, spec)
    if (contents !== undefined) new Uint8Array(mapping.memory).set(contents)
    return { fd, spec: { ...spec, flags }, contents: undefined, mapping, structOps, reused: false }
  }
  if (contents !== undefined) putElement(sys, fd, spec.name, 0, contents)
  if (freeze) freezeMap(sys, fd, `map ${spec.name}`)
  return { fd, spec: { ...spec, flags }, contents, mapping: undefined, structOps, reused: false }
}

/** Makes a map constant for good. Throws LOADER_FAILED. */
export function freezeMap(sys: Sys, fd: number, what: string): void {
  const result = sys.bpf(commands.value('map_freeze'), mapElemAttr.encode({ map_fd: fd }, true))
  // Kernels before 5.2 know no frozen maps: programs may not write there all the same.
  if (result >= 0 || result === EINVAL) return
  throw errors.LOADER_FAILED({ what: `${what} cannot be frozen`, errno: errnoName(result) })
}

/** The verifier wants an arena to have an address in user space before programs use it. */
function mapArena(sys: Sys, owned: OwnedFds, fd: number, spec: MapSpec): Mapping {
  const protection = linux.PROT_READ | linux.PROT_WRITE
  const mapping = sys.mmap(fd, spec.maxEntries * pageSize(sys), protection, linux.MAP_SHARED, 0)
  if (typeof mapping === 'number') {
    const what = `arena ${spec.name} cannot be mapped into memory`
    throw errors.LOADER_FAILED({ what, errno: errnoName(mapping) })
  }
  owned.defer(() => mapping.unmap())
  return mapping
}

/** Kernels before 5.5 cannot map an array into memory, which only makes its variables slower. */
function createWithFallback(
  context: MapContext,
  spec: MapSpec,
  extra: CreateMapOptions,
): { readonly fd: number; readonly flags: number } {
  const mappable = mapFlags.value('mmapable')
  try {
    return { fd: createFd(context, spec, extra), flags: spec.flags }
  } catch (error) {
    const optional = spec.data !== undefined && (spec.flags & mappable) !== 0
    if (!optional || !isTsbpfError(error, 'MAP_CREATE') || error.context['errno'] !== errnoName(EINVAL)) {
      throw error
    }
    const flags = spec.flags & ~mappable
    return { fd: createFd(context, { ...spec, flags }, extra), flags }
  }
}

/** A struct_ops map's value is of a type of the kernel; the object's BTF goes with it, without types. */
function kernelValue(context: MapContext, spec: MapSpec, structOps: PlannedStructOps): CreateMapOptions {
  const { btfFd } = context
  const { valueType, module } = structOps
  return {
    btf: btfFd === undefined ? undefined : { fd: btfFd, keyType: 0, valueType: 0 },
    kernelValueType: valueType,
    kernelValueBtf:
      module === undefined ? undefined : context.moduleFd(module, `struct_ops map ${spec.name}`),
  }
}

function createFd(context: MapContext, spec: MapSpec, extra: CreateMapOptions): number {
  const { btfFd, token } = context
  const { keyType, valueType } = spec
  const described = btfFd !== undefined && valueType !== undefined && !withoutBtf.has(spec.type)
  const options: CreateMapOptions = {
    btf: described ? { fd: btfFd, keyType: keyType ?? 0, valueType } : undefined,
    numaNode: spec.numaNode,
    extra: spec.extra,
    token,
    ...extra,
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

/** The value of a data section's only entry. Throws LOADER_FAILED. */
export function getElement(sys: Sys, fd: number, spec: MapSpec): Uint8Array {
  const { offsets } = mapElemAttr
  const value = new Uint8Array(spec.valueSize)
  const result = sys.bpf(commands.value('map_lookup_elem'), mapElemAttr.encode({ map_fd: fd }, true), [
    { at: offsets.key, buffer: new Uint8Array(4) },
    { at: offsets.value, buffer: value },
  ])
  if (result < 0)
    throw errors.LOADER_FAILED({ what: `map ${spec.name} cannot be read`, errno: errnoName(result) })
  return value
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
