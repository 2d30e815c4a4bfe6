import type { TypeId } from '@tsbpf/base'
import type { Access } from './access.ts'
import { isEnum, typeText, sizeOf } from './access.ts'
import { fail } from './errors.ts'

/** What a relocation of one access comes to, in one BTF. */
export interface CoreValue {
  /** Unsigned, 64 bits. */
  readonly value: bigint
  /** Whether the compiler must have written this value: false where compilers may lay things out otherwise. */
  readonly validate: boolean
  /** For the offset of a field that is no bitfield: its size in bytes and its type; else 0 and void. */
  readonly size: number
  readonly sizeType: TypeId
}

const none = 0 as TypeId

function value(of: number | bigint, validate = true, size = 0, sizeType = none): CoreValue {
  return { value: of < 0 ? BigInt.asUintN(64, BigInt(of)) : BigInt(of), validate, size, sizeType }
}

/**
 * The value of a relocation for an access, as libbpf's `bpf_core_calc_relo` computes it.
 *
 * Throws `CORE_UNSUPPORTED_KIND` and `CORE_VALUE` where there is none.
 */
export function valueOf(access: Access, littleEndian: boolean): CoreValue {
  switch (access.kind.name) {
    case 'local_type_id':
    case 'target_type_id':
      // Ids change when objects are linked, so the compiler's value says nothing.
      return value(access.root, false)
    case 'type_exists':
    case 'type_matches':
    case 'field_exists':
    case 'enumval_exists':
      return value(1)
    case 'type_size':
      return value(sizeOf(access.btf, access.root))
    case 'enumval_value':
      return value(enumerator(access))
    default:
      return fieldValue(access, littleEndian)
  }
}

/**
 * The value where no candidate fits, or `undefined` where only a poisoned instruction will do: nothing exists (0),
 * and of a type that does not exist id and size are 0.
 */
export function missingValue(kind: Access['kind']): bigint | undefined {
  if (kind.group === 'type') return 0n
  return kind.name === 'field_exists' || kind.name === 'enumval_exists' ? 0n : undefined
}

function enumerator(access: Access): bigint {
  const [accessor] = access.accessors
  const type = access.btf.type(accessor?.type ?? none)
  const found = isEnum(type) ? type.values[accessor?.index ?? -1] : undefined
  if (found === undefined) throw fail('CORE_ACCESS', `${typeText(access.btf, access.root)} is no enum`)
  // Enumerators of 32 bits are signed to libbpf, whatever the enum says: old compilers did not say.
  return type.kind === 'enum' ? BigInt.asIntN(32, found.value) : found.value
}

interface Bits {
  /** The smallest load that holds the field: where it starts and how long it is, in bytes. */
  readonly byteOffset: number
  readonly byteSize: number
  readonly bitOffset: number
  readonly bitSize: number
  readonly bitfield: boolean
}

function fieldValue(access: Access, littleEndian: boolean): CoreValue {
  const { btf, kind, bitOffset } = access
  const last = access.accessors.at(-1)
  if (last === undefined) throw fail('CORE_ACCESS', 'the access names no field')
  if (last.name === undefined) {
    const size = sizeOf(btf, last.type)
    if (kind.name === 'byte_off') return value(Math.floor(bitOffset / 8), true, size, last.type)
    if (kind.name === 'byte_sz') return value(size)
    throw fail('CORE_UNSUPPORTED_KIND', `${kind.name} does not apply to an array element`)
  }
  const { member } = last
  if (member === undefined)
    throw fail('CORE_ACCESS', `${typeText(btf, last.type)} has no member ${last.name}`)
  const id = btf.resolveId(member.type)
  if (member.bitfieldSizeBits === 0 && kind.name === 'byte_off') {
    return value(Math.floor(bitOffset / 8), true, sizeOf(btf, id), id)
  }
  const type = btf.type(id)
  const bits =
    member.bitfieldSizeBits > 0
      ? bitfield(access, 'size' in type ? type.size : 0, member.bitfieldSizeBits)
      : plainField(access, sizeOf(btf, id))
  const validate = !bits.bitfield
  switch (kind.name) {
    case 'byte_off':
      return value(bits.byteOffset, validate)
    case 'byte_sz':
      return value(bits.byteSize, validate)
    case 'signed':
      return value(Number((isEnum(type) || type.kind === 'int') && type.signed))
    case 'lshift_u64': {
      const within = bits.bitOffset - bits.byteOffset * 8
      const shift = littleEndian ? 64 - (within + bits.bitSize) : (8 - bits.byteSize) * 8 + within
      return value(shift >>> 0, validate)
    }
    case 'rshift_u64':
      return value((64 - bits.bitSize) >>> 0)
    default:
      throw fail('CORE_UNSUPPORTED_KIND', `${kind.name} does not apply to a field`)
  }
}

function plainField({ bitOffset }: Access, byteSize: number): Bits {
  const bitSize = (byteSize * 8) >>> 0
  return { byteOffset: Math.floor(bitOffset / 8), byteSize, bitOffset, bitSize, bitfield: false }
}

function bitfield({ bitOffset }: Access, typeSize: number, bitSize: number): Bits {
  if (typeSize === 0) throw fail('CORE_VALUE', 'the bitfield has a type without a size')
  let byteSize = typeSize
  for (;;) {
    const byteOffset = Math.floor(bitOffset / 8 / byteSize) * byteSize
    if (bitOffset + bitSize - byteOffset * 8 <= byteSize * 8) {
      return { byteOffset, byteSize, bitOffset, bitSize, bitfield: true }
    }
    if (byteSize >= 8) throw fail('CORE_VALUE', 'the bitfield cannot be read with one load of 64 bits')
    byteSize *= 2
  }
}
