import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError, TypeId } from '@tsbpf/base'
import type { Btf, BtfMember, BtfType, BtfTypeOf } from '@tsbpf/btf'
import { mapTypes } from '@tsbpf/uapi'
import { limits } from './limits.ts'

/** The facts of a BTF-defined map, as its struct says them. */
export interface MapDefinition {
  typeValue: number
  keySize: number
  valueSize: number
  maxEntries: number
  flags: number
  extra: bigint
  numaNode: number | undefined
  pinning: 'none' | 'by_name'
  keyType: TypeId | undefined
  valueType: TypeId | undefined
  inner: MapDefinition | undefined
  /** Byte of the struct at which the initial entries start; `undefined` where it has none. */
  valuesOffset: number | undefined
}

/** What a definition needs of its surroundings: its BTF, and an error about one of its fields. */
export interface DefinitionContext {
  readonly btf: Btf
  fail(field: string, expected: string, actual: string): TsbpfError
}

const progArray = mapTypes.value('prog_array')
const mapsOfMaps: readonly number[] = [mapTypes.value('array_of_maps'), mapTypes.value('hash_of_maps')]

/** True for the map types whose entries are maps. */
export function isMapOfMaps(typeValue: number): boolean {
  return mapsOfMaps.includes(typeValue)
}

/** A number written as `int (*name)[value]`: the length of the array pointed to. */
function numberOf(context: DefinitionContext, member: BtfMember): number {
  const { btf } = context
  const pointer = btf.resolve(member.type)
  if (pointer.kind !== 'ptr')
    throw context.fail(member.name, 'a pointer to an array, as __uint makes', pointer.kind)
  const array = btf.type(pointer.type)
  if (array.kind !== 'array')
    throw context.fail(member.name, 'a pointer to an array, as __uint makes', array.kind)
  return array.length
}

/** A number of 64 bits: as above, or the only value of an enum, as `__ulong` makes. */
function longOf(context: DefinitionContext, member: BtfMember): bigint {
  const type = context.btf.resolve(member.type)
  if (type.kind === 'ptr') return BigInt(numberOf(context, member))
  if (type.kind !== 'enum' && type.kind !== 'enum64') {
    throw context.fail(member.name, 'an enum, as __ulong makes', type.kind)
  }
  const [first, ...more] = type.values
  if (first === undefined || more.length > 0) {
    throw context.fail(member.name, 'an enum of one value', `one of ${type.values.length}`)
  }
  return BigInt.asUintN(64, first.value)
}

/** A type written as a pointer to it, and its size. */
function typeOf(context: DefinitionContext, member: BtfMember): { type: TypeId; size: number } {
  const pointer = context.btf.type(member.type)
  if (pointer.kind !== 'ptr')
    throw context.fail(member.name, 'a pointer to a type, as __type makes', pointer.kind)
  try {
    return { type: pointer.type, size: context.btf.sizeOf(pointer.type) }
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    throw context.fail(member.name, 'a type that has a size', error.message)
  }
}

function sameSize(context: DefinitionContext, field: string, known: number, size: number): number {
  if (known !== 0 && known !== size)
    throw context.fail(field, `the size ${known} that it has already`, String(size))
  return size
}

/** The element that a `values` member points to: a function for a prog array, the template of a map of maps. */
function elementOf(context: DefinitionContext, member: BtfMember, definition: MapDefinition): BtfType {
  const { btf } = context
  const array = btf.type(member.type)
  if (array.kind !== 'array' || array.length !== 0) {
    throw context.fail('values', 'an array without a length, as __array makes', array.kind)
  }
  const pointer = btf.resolve(array.type)
  if (pointer.kind !== 'ptr')
    throw context.fail('values', 'an array of pointers', `an array of ${pointer.kind}`)
  const element = btf.resolve(pointer.type)
  const expected = definition.typeValue === progArray ? 'func_proto' : 'struct'
  if (element.kind !== expected) throw context.fail('values', `pointers to ${expected}`, element.kind)
  return element
}

/** Reads the struct of a BTF-defined map, or of the template in a map of maps (libbpf: `parse_btf_map_def`). */
export function readDefinition(
  context: DefinitionContext,
  struct: BtfTypeOf<'struct' | 'union'>,
  inner = false,
): MapDefinition {
  const definition: MapDefinition = {
    typeValue: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    extra: 0n,
    numaNode: undefined,
    pinning: 'none',
    keyType: undefined,
    valueType: undefined,
    inner: undefined,
    valuesOffset: undefined,
  }
  if (struct.members.length > limits.mapFields) {
    throw context.fail('definition', `at most ${limits.mapFields} fields`, String(struct.members.length))
  }
  for (const [index, member] of struct.members.entries()) {
    switch (member.name) {
      case 'type':
        definition.typeValue = numberOf(context, member)
        break
      case 'max_entries':
        definition.maxEntries = numberOf(context, member)
        break
      case 'map_flags':
        definition.flags = numberOf(context, member)
        break
      case 'numa_node':
        definition.numaNode = numberOf(context, member)
        break
      case 'key_size':
        definition.keySize = sameSize(context, 'key_size', definition.keySize, numberOf(context, member))
        break
      case 'value_size':
        definition.valueSize = sameSize(
          context,
          'value_size',
          definition.valueSize,
          numberOf(context, member),
        )
        break
      case 'key': {
        const { type, size } = typeOf(context, member)
        definition.keySize = sameSize(context, 'key', definition.keySize, size)
        definition.keyType = type
        break
      }
      case 'value': {
        const { type, size } = typeOf(context, member)
        definition.valueSize = sameSize(context, 'value', definition.valueSize, size)
        definition.valueType = type
        break
      }
      case 'map_extra':
        definition.extra = longOf(context, member)
        break
      case 'pinning': {
        const pinning = numberOf(context, member)
        if (inner || pinning > 1) {
          const expected = inner ? 'no pinning of an inner map' : '0 (none) or 1 (LIBBPF_PIN_BY_NAME)'
          throw context.fail('pinning', expected, String(pinning))
        }
        definition.pinning = pinning === 1 ? 'by_name' : 'none'
        break
      }
      case 'values': {
        const { typeValue } = definition
        if (inner) throw context.fail('values', 'one level of inner maps', 'an inner map with entries')
        if (index !== struct.members.length - 1)
          throw context.fail('values', 'the last field', 'a field before others')
        if (typeValue !== progArray && !isMapOfMaps(typeValue)) {
          const expected = 'a prog_array, an array_of_maps or a hash_of_maps, declared before'
          throw context.fail('values', expected, mapTypes.format(typeValue))
        }
        definition.valueSize = sameSize(context, 'values', definition.valueSize, 4)
        const element = elementOf(context, member, definition)
        if (element.kind === 'struct') {
          const within: DefinitionContext = {
            btf: context.btf,
            fail: (field, expected, actual) => context.fail(`values.${field}`, expected, actual),
          }
          definition.inner = readDefinition(within, element, true)
        }
        definition.valuesOffset = member.offsetBits / 8
        break
      }
      default:
        throw context.fail(
          member.name === '' ? `field ${index}` : member.name,
          'type, max_entries, map_flags, numa_node, key_size, key, value_size, value, values, pinning or map_extra',
          'an unknown field',
        )
    }
  }
  if (definition.typeValue === 0) throw context.fail('type', 'a map type', 'none')
  return definition
}
