import type { BitOffset, TypeId } from '@tsbpf/base'

/** A member of a struct or union. */
export interface BtfMember {
  /** Empty for an anonymous member. */
  readonly name: string
  readonly type: TypeId
  /** From the start of the struct. */
  readonly offsetBits: BitOffset
  /** Size of a bitfield in bits; 0 for a member that is none by its struct's encoding. */
  readonly bitfieldSizeBits: number
}

/** A member, and its index in its struct or union. */
export interface BtfMemberAt extends BtfMember {
  readonly index: number
}

/** A parameter of a function prototype. */
export interface BtfParam {
  readonly name: string
  /** 0 with an empty name: varargs. */
  readonly type: TypeId
}

/** A variable in a data section. */
export interface BtfSecVar {
  readonly type: TypeId
  /** Bytes from the start of the section. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
}

/**
 * One BTF type, decoded. `id` 0 is void. Sizes are bytes.
 * Kinds and spelling are those of the kernel (Documentation/bpf/btf.rst).
 */
export type BtfType =
  | { readonly kind: 'void'; readonly id: TypeId }
  | {
      readonly kind: 'int'
      readonly id: TypeId
      readonly name: string
      readonly size: number
      readonly bits: number
      readonly offsetBits: number
      readonly signed: boolean
      readonly char: boolean
      readonly bool: boolean
    }
  | { readonly kind: 'ptr'; readonly id: TypeId; readonly type: TypeId }
  | {
      readonly kind: 'array'
      readonly id: TypeId
      readonly type: TypeId
      readonly indexType: TypeId
      readonly length: number
    }
  | {
      readonly kind: 'struct' | 'union'
      readonly id: TypeId
      readonly name: string
      readonly size: number
      readonly kindFlag: boolean
      /** Decoded when first asked for; throws `BTF_STRING` and `BTF_REFERENCE`. */
      readonly members: readonly BtfMember[]
    }
  | {
      readonly kind: 'enum' | 'enum64'
      readonly id: TypeId
      readonly name: string
      readonly size: number
      readonly signed: boolean
      readonly values: readonly { readonly name: string; readonly value: bigint }[]
    }
  | { readonly kind: 'fwd'; readonly id: TypeId; readonly name: string; readonly union: boolean }
  | { readonly kind: 'typedef'; readonly id: TypeId; readonly name: string; readonly type: TypeId }
  | { readonly kind: 'volatile' | 'const' | 'restrict'; readonly id: TypeId; readonly type: TypeId }
  | {
      readonly kind: 'type_tag'
      readonly id: TypeId
      readonly name: string
      readonly type: TypeId
      readonly kindFlag: boolean
    }
  | {
      readonly kind: 'func'
      readonly id: TypeId
      readonly name: string
      readonly type: TypeId
      readonly linkage: 'static' | 'global' | 'extern' | 'unknown'
    }
  | {
      readonly kind: 'func_proto'
      readonly id: TypeId
      readonly returnType: TypeId
      readonly params: readonly BtfParam[]
    }
  | {
      readonly kind: 'var'
      readonly id: TypeId
      readonly name: string
      readonly type: TypeId
      readonly linkage: 'static' | 'global' | 'extern' | 'unknown'
    }
  | {
      readonly kind: 'datasec'
      readonly id: TypeId
      readonly name: string
      readonly size: number
      readonly vars: readonly BtfSecVar[]
    }
  | { readonly kind: 'float'; readonly id: TypeId; readonly name: string; readonly size: number }
  | {
      readonly kind: 'decl_tag'
      readonly id: TypeId
      readonly name: string
      readonly type: TypeId
      /** -1: the tag is on the type itself, else on that member or parameter. */
      readonly component: number
      readonly kindFlag: boolean
    }

/** Name of a BTF kind, as the kernel spells it, in lower case. */
export type BtfKind = BtfType['kind']

/** The type of one kind. */
export type BtfTypeOf<K extends BtfKind> = OfKind<BtfType, K>

type OfKind<T extends BtfType, K extends BtfKind> = T extends BtfType
  ? K extends T['kind']
    ? T & { readonly kind: K }
    : never
  : never

/** `.BTF` data behind a lazy index: opening it makes one pass, types and strings are decoded when asked for. */
export interface Btf {
  /** The data of this BTF alone, header included; aliases the input. */
  readonly bytes: Uint8Array
  readonly littleEndian: boolean
  /** The BTF that this one is split from. */
  readonly base: Btf | undefined
  /** First id that is this BTF's own: 1, or one more than its base's last. */
  readonly firstId: number
  /** One more than the last id. */
  readonly endId: number
  /** One more than the last string offset; the strings of a BTF split from this one start there. */
  readonly endString: number
  /** Bytes of a pointer on the machine it describes, guessed as libbpf does (a `long` int), else 8. */
  readonly pointerSize: 4 | 8
  /** Decodes the type, once; throws `BTF_TYPE_ID` for an id out of range. */
  type(id: TypeId | number): BtfType
  /** Kind of a type, without decoding it. */
  kind(id: TypeId | number): BtfKind
  /** Name of a type, without decoding the rest; empty for none. */
  nameOf(id: TypeId | number): string
  /** How many members, enumerators, parameters or variables a type lists, without decoding them. */
  vlen(id: TypeId | number): number
  /** The member at an index of a struct or union, without decoding the others; `undefined` where there is none. */
  memberAt(id: TypeId | number, index: number): BtfMemberAt | undefined
  /**
   * The first member with that name, at index `from` (0 unless given) or after it, of a struct or union; others are not
   * decoded. The empty name finds anonymous members.
   */
  memberNamed(id: TypeId | number, name: string, from?: number): BtfMemberAt | undefined
  /** Ids with that name (and kind, where given), ascending, base first. */
  idsByName(name: string, kind?: BtfKind): readonly TypeId[]
  /** The first type with that name and kind. */
  find<K extends BtfKind>(name: string, kind: K): BtfTypeOf<K> | undefined
  /**
   * Ids of the named types (of one kind, where given) whose essential name (the name up to a `___flavour`) is `name`,
   * ascending, base first: the candidates of CO-RE.
   */
  candidates(name: string, kind?: BtfKind): readonly TypeId[]
  /** Text at an offset of the string section. */
  string(offset: number): string
  /** Steps through const, volatile, restrict, type_tag and typedef to the type behind them. */
  resolve(id: TypeId | number): BtfType
  /** Id of the type that `resolve` gives, which it does not decode. */
  resolveId(id: TypeId | number): TypeId
  /** Size in bytes of a value, through typedefs, modifiers and arrays; throws `BTF_NO_SIZE` where there is none. */
  sizeOf(id: TypeId | number): number
  /** Alignment in bytes of a value, as C lays it out. */
  alignOf(id: TypeId | number): number
}
