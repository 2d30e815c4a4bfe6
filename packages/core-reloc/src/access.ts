import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfKind, BtfMemberAt, BtfType, BtfTypeOf } from '@tsbpf/btf'
import { fail } from './errors.ts'
import type { CoreKind } from '@tsbpf/object'
import { limits } from './limits.ts'

/** One turning point of an access: a named member of a composite type, an array element, or an enumerator. */
export interface Accessor {
  /** The composite type, the element's type, or the enum; modifiers and typedefs are skipped. */
  readonly type: TypeId
  /** Index of the member, element or enumerator. */
  readonly index: number
  /** Name of the member or enumerator; `undefined` for an array element. */
  readonly name: string | undefined
  /** The member. */
  readonly member: BtfMemberAt | undefined
}

/** An access in one BTF: what the local type asks for, or the same thing found in a candidate. */
export interface Access {
  readonly btf: Btf
  /** The type that the relocation starts from, as it is named. */
  readonly root: TypeId
  readonly kind: CoreKind
  /** The turning points, anonymous members left out; empty for a kind about a type. */
  readonly accessors: readonly Accessor[]
  /** Every index on the way, anonymous members included. */
  readonly raw: readonly number[]
  /** From the start of the root. */
  readonly bitOffset: number
}

type Composite = BtfTypeOf<'struct'> | BtfTypeOf<'union'>

/** True for a struct or a union. */
export function isComposite(type: BtfType): type is Composite {
  return type.kind === 'struct' || type.kind === 'union'
}

/** True for both widths of enum. */
export function isEnum(type: BtfType): type is BtfTypeOf<'enum'> | BtfTypeOf<'enum64'> {
  return type.kind === 'enum' || type.kind === 'enum64'
}

/** Adds to an offset in bits; throws `CORE_VALUE` past 32 bits, where libbpf would wrap around. */
export function addBits(offset: number, bits: number): number {
  const sum = offset + bits
  if (sum > limits.bitOffset) throw fail('CORE_VALUE', `the field starts ${sum} bits into its struct`)
  return sum
}

/**
 * True where elements past the end of an array may be accessed: it has no length, and is the last member of its
 * struct. `before` is the accessor that led to the array.
 */
export function isFlexibleArray(btf: Btf, before: Accessor | undefined, length: number): boolean {
  if (before?.name === undefined || length > 0) return false
  return before.member !== undefined && before.index === btf.vlen(before.type) - 1
}

/** An accessor string for a message: quoted, and cut where it is absurdly long. */
function quote(access: string): string {
  return JSON.stringify(access.length > 80 ? `${access.slice(0, 80)}…` : access)
}

const zero = 0x30
const colon = 0x3a

/** Reads digit by digit: a split and a pattern cost more than the rest of a relocation. */
function parseIndexes(access: string): number[] {
  const { length } = access
  const indexes: number[] = []
  let index = -1
  let large = -1
  for (let i = 0; i <= length; i++) {
    const code = i < length ? access.charCodeAt(i) : colon
    if (code === colon && index >= 0) {
      if (index > 0x7fff_ffff && large < 0) large = index
      indexes.push(index)
      index = -1
    } else if (code >= zero && code < colon && length <= limits.accessText) {
      index = (index < 0 ? 0 : index * 10) + code - zero
    } else {
      throw fail(
        'CORE_ACCESS',
        `the accessor string is ${quote(access)}, not numbers with colons between them`,
      )
    }
  }
  if (indexes.length > limits.accessLength) {
    throw fail(
      'CORE_ACCESS',
      `the accessor string has ${indexes.length} elements, more than ${limits.accessLength}`,
    )
  }
  if (large >= 0) throw fail('CORE_ACCESS', `${large} in the accessor string exceeds 31 bits`)
  return indexes
}

/**
 * Reads an accessor string (`0:1:2`) against the type it starts from, as libbpf's `bpf_core_parse_spec` does. The
 * first number steps over whole objects of the root type, each further one enters a member or an array element.
 *
 * Throws `CORE_ACCESS` where string and type do not fit, `BTF_…` where the type is malformed.
 */
export function parseAccess(btf: Btf, root: TypeId, access: string, kind: CoreKind): Access {
  if (kind.group === 'type') {
    if (access !== '0') {
      throw fail('CORE_ACCESS', `a relocation about a type has the accessor string ${quote(access)}, not "0"`)
    }
    return { btf, root, kind, accessors: [], raw: [], bitOffset: 0 }
  }
  const raw = parseIndexes(access)
  const first = raw[0] ?? 0
  let id = btf.resolveId(root)
  if (kind.group === 'enumval') {
    const start = btf.type(id)
    const value = isEnum(start) && raw.length === 1 ? start.values[first] : undefined
    if (value === undefined) {
      throw fail('CORE_ACCESS', `${quote(access)} names no enumerator of ${typeText(btf, root)}`)
    }
    return {
      btf,
      root,
      kind,
      raw,
      bitOffset: 0,
      accessors: [{ type: id, index: first, name: value.name, member: undefined }],
    }
  }
  const accessors: Accessor[] = [{ type: id, index: first, name: undefined, member: undefined }]
  let kindOfId = btf.kind(id)
  let bitOffset = addBits(0, elementBits(btf, id, kindOfId, first))
  for (let i = 1; i < raw.length; i++) {
    const index = raw[i] ?? 0
    if (kindOfId === 'struct' || kindOfId === 'union') {
      const member = btf.memberAt(id, index)
      if (member === undefined) {
        throw fail('CORE_ACCESS', `${typeText(btf, id)} has ${btf.vlen(id)} members, none at ${index}`)
      }
      const { name } = member
      bitOffset = addBits(bitOffset, member.offsetBits)
      if (name !== '') accessors.push({ type: id, index, name, member })
      // What the last member leads to does not matter.
      if (i === raw.length - 1) break
      id = btf.resolveId(member.type)
      kindOfId = btf.kind(id)
    } else if (kindOfId === 'array') {
      const array = btf.type(id) as BtfTypeOf<'array'>
      if (index >= array.length && !isFlexibleArray(btf, accessors.at(-1), array.length)) {
        throw fail('CORE_ACCESS', `element ${index} is past the end of an array of ${array.length}`)
      }
      id = btf.resolveId(array.type)
      kindOfId = btf.kind(id)
      accessors.push({ type: id, index, name: undefined, member: undefined })
      bitOffset = addBits(bitOffset, elementBits(btf, id, kindOfId, index))
    } else {
      throw fail('CORE_ACCESS', `${quote(access)} enters ${typeText(btf, id)}, which has no members`)
    }
  }
  return { btf, root, kind, accessors, raw, bitOffset }
}

/** Bits from the start of an array to the element at `index`; throws where the elements have no size. */
export function elementBits(btf: Btf, id: TypeId, kind: BtfKind, index: number): number {
  // Nearly all accesses start at the one struct that a pointer leads to, whose size need not be found.
  if (index === 0 && (kind === 'struct' || kind === 'union')) return 0
  return index * sizeOf(btf, id) * 8
}

/** Bytes of a type; throws `CORE_VALUE` past 32 bits, as libbpf does, and `BTF_NO_SIZE` where there is none. */
export function sizeOf(btf: Btf, id: TypeId): number {
  const size = btf.sizeOf(id)
  if (size > 0xffff_ffff) throw fail('CORE_VALUE', `${typeText(btf, id)} is larger than 4 GiB`)
  return size
}

/** A type as C names it, for a message; one without a name by its kind. */
export function typeText(btf: Btf, id: TypeId): string {
  const kind = btf.kind(id)
  const name = btf.nameOf(id)
  if (name === '') return isTagged(kind) ? `an anonymous ${kind}` : `a ${kind}`
  return isTagged(kind) || kind === 'fwd' ? `${kind} ${name}` : name
}

function isTagged(kind: BtfKind): boolean {
  return kind === 'struct' || kind === 'union' || kind === 'enum' || kind === 'enum64'
}

/** Kind and name of a type, as libbpf's log writes them: `struct task_struct`, `int <anon>`. */
function nameType(btf: Btf, id: TypeId): string {
  const name = btf.nameOf(id)
  return `${btf.kind(id)} ${name === '' ? '<anon>' : name}`
}

/**
 * An access as text, spelt as in libbpf's debug log: `struct task_struct.cred (0:12 @ offset 1736)`,
 * `enum colour::RED = 1`, `struct sk_buff`. The path is C; the numbers are the indexes and the offset in bytes
 * (and bits, after a point).
 */
export function formatAccess(access: Access): string {
  const { btf, root, kind, accessors, raw, bitOffset } = access
  const type = nameType(btf, root)
  if (kind.group === 'type') return type
  if (kind.group === 'enumval') {
    const [first] = accessors
    if (first === undefined) return type
    const owner = btf.type(first.type)
    const value = isEnum(owner) ? owner.values[first.index] : undefined
    return `${type}::${first.name ?? ''} = ${value?.value ?? ''}`
  }
  let path = ''
  accessors.forEach((accessor, i) => {
    if (accessor.name !== undefined) path += `.${accessor.name}`
    else if (i > 0 || accessor.index > 0) path += `[${accessor.index}]`
  })
  const bits = bitOffset % 8
  const offset = Math.floor(bitOffset / 8)
  return `${type}${path} (${raw.join(':')} @ offset ${offset}${bits === 0 ? '' : `.${bits}`})`
}
