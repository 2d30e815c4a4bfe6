import type { TypeId } from '@tsbpf/base'
import type { BtfMemberInput } from '@tsbpf/btf'
import { kernelMapName } from '@tsbpf/object'
import type { MapSpec } from '@tsbpf/object'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import { builderErrors } from '../errors.ts'
import { placeOf } from './call-site.ts'
import { ptr, s32, sizeOf } from './c-type.ts'
import type { CType } from './c-type.ts'
import type { MapDefinition, MapOptions } from './definitions.ts'
import { addDatasec, addVar } from './object-types.ts'
import type { ObjectTypes } from './object-types.ts'

const pointerBytes = 8
const pointerBits = 64
/** Bytes of what a prog array or a map of maps holds: a descriptor. */
const descriptorBytes = 4

/** `__type`, or the bytes where there is none. */
interface Element {
  readonly type: TypeId | undefined
  readonly size: number
}

function element(types: ObjectTypes, given: CType | number | undefined): Element {
  if (given === undefined || typeof given === 'number') return { type: undefined, size: given ?? 0 }
  return { type: types.idOf(given), size: sizeOf(given) }
}

const isMapOfMaps = (options: MapOptions): boolean =>
  options.type === 'array_of_maps' || options.type === 'hash_of_maps'

const holdsDescriptors = (options: MapOptions): boolean =>
  isMapOfMaps(options) || options.type === 'prog_array'

const flagsOf = ({ flags = [] }: MapOptions): number =>
  flags.reduce((all, name) => all | mapFlags.value(name), 0)

/** Bytes of a value that is not told: descriptors are, and prog arrays and maps of maps hold nothing else. */
const valueOf = (options: MapOptions): CType | number | undefined =>
  options.value ?? (holdsDescriptors(options) ? descriptorBytes : undefined)

/** The struct of a BTF-defined map, as `__uint`, `__type` and `__array` of libbpf's bpf_helpers.h declare it. */
function declare(types: ObjectTypes, options: MapOptions): { readonly id: TypeId; readonly size: number } {
  const { btf } = types
  const members: BtfMemberInput[] = []
  const add = (name: string, type: number): void => {
    members.push({ name, type, offsetBits: members.length * pointerBits })
  }
  const pointer = (type: number): TypeId => btf.add({ kind: 'ptr', type })
  const number = (name: string, value: number): void => {
    if (value !== 0) add(name, pointer(types.arrayOf(types.idOf(s32), value)))
  }
  number('type', mapTypes.value(options.type))
  const key = element(types, options.key)
  if (key.type === undefined) number('key_size', key.size)
  else add('key', pointer(key.type))
  const value = element(types, valueOf(options))
  if (value.type !== undefined) add('value', pointer(value.type))
  else if (!holdsDescriptors(options)) number('value_size', value.size)
  number('max_entries', options.maxEntries ?? 0)
  number('map_flags', flagsOf(options))
  const extra = BigInt(options.extra ?? 0)
  if (extra !== 0n) {
    const values = [{ name: 'map_extra_value', value: extra }]
    add('map_extra', btf.add({ kind: 'enum64', name: '', size: 8, values }))
  }
  number('numa_node', options.numaNode ?? 0)
  if (options.pinning === 'by_name') number('pinning', 1)
  const size = members.length * pointerBytes
  if (holdsDescriptors(options)) {
    const entry =
      options.inner === undefined
        ? types.protoOf({ params: { ctx: ptr() } }, {})
        : declare(types, options.inner.options).id
    add('values', types.arrayOf(pointer(entry), 0))
  }
  return { id: btf.add({ kind: 'struct', name: '', size, members }), size }
}

function specOf(types: ObjectTypes, name: string, options: MapOptions): MapSpec {
  const { type, maxEntries = 0, numaNode, pinning = 'none', inner, values = [] } = options
  const key = element(types, options.key)
  const value = element(types, valueOf(options))
  return {
    name,
    kernelName: kernelMapName(name),
    type,
    typeValue: mapTypes.value(type),
    keySize: key.size,
    valueSize: value.size,
    maxEntries,
    flags: flagsOf(options),
    extra: BigInt(options.extra ?? 0),
    numaNode,
    pinning,
    keyType: key.type,
    valueType: value.type,
    inner: inner === undefined ? undefined : specOf(types, `${name}.inner`, inner.options),
    values: values.flatMap((one, index) => (one === undefined ? [] : [{ index, name: one.name }])),
    data: undefined,
  }
}

function check({ name, options, trace }: MapDefinition): void {
  const refuse = (expected: string, actual: string): Error =>
    builderErrors.ASM_DEFINITION({ place: placeOf(trace), what: 'map', name, expected, actual })
  const { inner, values = [], maxEntries = 0 } = options
  if (!Number.isInteger(maxEntries) || maxEntries < 0 || maxEntries > 0xffff_ffff) {
    throw refuse('maxEntries of 32 bits', String(maxEntries))
  }
  if ((inner !== undefined) !== isMapOfMaps(options)) {
    throw refuse(
      `${inner === undefined ? 'an' : 'no'} inner map for a map of type ${options.type}`,
      inner === undefined ? 'none' : inner.name,
    )
  }
  const holds = isMapOfMaps(options) ? 'map' : options.type === 'prog_array' ? 'program' : 'nothing'
  const wrong = values.find((one) => one !== undefined && one.kind !== holds)
  if (wrong !== undefined) throw refuse(`initial entries of kind ${holds}`, `the ${wrong.kind} ${wrong.name}`)
}

/** Adds the section `.maps` to the BTF, and makes the specs of its maps. */
export function declareMaps(types: ObjectTypes, maps: readonly MapDefinition[]): readonly MapSpec[] {
  if (maps.length === 0) return []
  let offset = 0
  const vars = maps.map((map) => {
    check(map)
    const { id, size } = declare(types, map.options)
    const whole = size + (map.options.values?.length ?? 0) * pointerBytes
    const row = { type: addVar(types, map.name, id), offset, size: whole }
    offset += whole
    return row
  })
  addDatasec(types, '.maps', vars)
  return maps.map(({ name, options }) => specOf(types, name, options))
}
