import type { TypeId } from '@tsbpf/base'
import type { BtfTypeOf } from '@tsbpf/btf'
import { mapTypes } from '@tsbpf/uapi'
import { isMapOfMaps, readDefinition } from '../map-definition.ts'
import type { MapDefinition } from '../map-definition.ts'
import type { MapSpec } from '../object-spec.ts'
import type { Draft } from './draft.ts'

/** The struct that declares a map, as `.maps` holds it. */
export interface MapStruct {
  /** Id of the struct, or of the type that the variable has. */
  readonly type: number
  /** Bytes, without initial entries. */
  readonly size: number
  /** Byte at which initial entries start; `undefined` where the struct has no room for them. */
  readonly valuesOffset: number | undefined
}

/** Bytes of a pointer in an object. */
export const pointerSize = 8

/** True where a definition says what the spec says. */
function says(definition: MapDefinition, map: MapSpec): boolean {
  const same =
    definition.typeValue === map.typeValue &&
    definition.keySize === map.keySize &&
    definition.valueSize === map.valueSize &&
    definition.maxEntries === map.maxEntries &&
    definition.flags === map.flags &&
    definition.extra === map.extra &&
    definition.numaNode === map.numaNode &&
    definition.pinning === map.pinning &&
    definition.keyType === map.keyType &&
    definition.valueType === map.valueType
  if (!same || (definition.inner === undefined) !== (map.inner === undefined)) return false
  if (map.values.length > 0 && definition.valuesOffset === undefined) return false
  return definition.inner === undefined || map.inner === undefined || says(definition.inner, map.inner)
}

/** The struct of a variable of the spec's BTF, where it declares the map as the spec does. */
export function knownStruct(draft: Draft, map: MapSpec, variable: BtfTypeOf<'var'>): MapStruct | undefined {
  const { btf } = draft.spec
  const struct = btf?.resolve(variable.type)
  if (btf === undefined || struct?.kind !== 'struct') return undefined
  const definition = readDefinition(
    { btf, fail: (field, expected, actual) => draft.fail(`map ${map.name}.${field}`, expected, actual) },
    struct,
  )
  if (!says(definition, map)) return undefined
  return { type: variable.type, size: struct.size, valuesOffset: definition.valuesOffset }
}

/** Makes the types that declarations of maps are written in, each once. */
export interface MapTypes {
  /** `__uint`: a pointer to an array whose length is the number. */
  number(value: number): TypeId
  pointer(type: number): TypeId
  /** `__array`: an array without a length. */
  open(type: number): TypeId
  /** `__ulong`: an enum with one value. */
  long(name: string, value: bigint): TypeId
  /** A function that takes nothing. */
  prototype(): TypeId
}

export function mapTypesOf(draft: Draft): MapTypes {
  const { types, spec } = draft
  const memo = new Map<string, TypeId>()
  const once = (key: string, make: () => TypeId): TypeId => {
    const known = memo.get(key)
    if (known !== undefined) return known
    const made = make()
    memo.set(key, made)
    return made
  }
  const int = (name: string, signed: boolean): TypeId =>
    once(name, () => {
      const known = spec.btf?.find(name, 'int')
      return known?.size === 4 ? known.id : types.add({ kind: 'int', name, size: 4, signed })
    })
  const array = (type: number, length: number): TypeId =>
    types.add({ kind: 'array', type, indexType: int('__ARRAY_SIZE_TYPE__', false), length })
  const pointer = (type: number): TypeId => once(`*${type}`, () => types.add({ kind: 'ptr', type }))
  return {
    number: (value) => once(`[${value}]`, () => pointer(array(int('int', true), value))),
    pointer,
    open: (type) => array(pointer(type), 0),
    long: (name, value) =>
      types.add({ kind: 'enum64', name: '', size: 8, values: [{ name: `__${name}`, value }] }),
    prototype: () =>
      once('()', () => types.add({ kind: 'func_proto', returnType: int('int', true), params: [] })),
  }
}

/** Declares a map as `__uint`, `__type` and `__array` of bpf_helpers.h do, in a new struct. */
export function makeStruct(draft: Draft, made: MapTypes, map: MapSpec): MapStruct {
  const { typeValue, keyType, valueType, keySize, valueSize, inner } = map
  const members: { name: string; type: number }[] = []
  const number = (name: string, value: number): void => {
    members.push({ name, type: made.number(value) })
  }
  number('type', typeValue)
  if (map.maxEntries !== 0) number('max_entries', map.maxEntries)
  if (map.flags !== 0) number('map_flags', map.flags)
  if (map.numaNode !== undefined) number('numa_node', map.numaNode)
  if (keyType !== undefined) members.push({ name: 'key', type: made.pointer(keyType) })
  else if (keySize !== 0) number('key_size', keySize)
  if (valueType !== undefined) members.push({ name: 'value', type: made.pointer(valueType) })
  else if (valueSize !== 0) number('value_size', valueSize)
  if (map.pinning === 'by_name') number('pinning', 1)
  if (map.extra !== 0n) {
    const small = map.extra >= 0n && map.extra < 0x1_0000_0000n
    const type = small ? made.number(Number(map.extra)) : made.long(`${map.name}_extra`, map.extra)
    members.push({ name: 'map_extra', type })
  }
  let valuesOffset: number | undefined
  if (inner !== undefined || map.values.length > 0) {
    const programs = typeValue === mapTypes.value('prog_array')
    if (!programs && (!isMapOfMaps(typeValue) || inner === undefined)) {
      const expected = 'entries or an inner map only in a prog_array, or in a map of maps with both'
      throw draft.fail(`map ${map.name}`, expected, map.type)
    }
    valuesOffset = members.length * pointerSize
    const element = inner === undefined ? made.prototype() : makeStruct(draft, made, inner).type
    members.push({ name: 'values', type: made.open(element) })
  }
  const size = (valuesOffset === undefined ? members.length : members.length - 1) * pointerSize
  const type = draft.types.add({
    kind: 'struct',
    name: '',
    size,
    members: members.map((member, index) => ({ ...member, offsetBits: index * pointerSize * 8 })),
  })
  return { type, size, valuesOffset }
}
