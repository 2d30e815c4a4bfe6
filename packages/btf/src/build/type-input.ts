/** A member of a struct or union to be built. */
export interface BtfMemberInput {
  /** Empty for an anonymous member. */
  readonly name: string
  readonly type: number
  /** From the start of the struct. */
  readonly offsetBits: number
  /** Size of a bitfield in bits; 0 unless given: no bitfield. */
  readonly bitfieldSizeBits?: number
}

/** How a function or variable is linked; `unknown`, which decoding may give, cannot be encoded. */
export type BtfLinkage = 'static' | 'global' | 'extern' | 'unknown'

/**
 * A type to be built: a {@link BtfType} without id, so that every decoded type but void is one. What can be told from
 * the rest may be left out: `bits` of an int are all of it, flags are false, `kindFlag` is true where a member is a
 * bitfield, an enum is signed where a value is negative, `component` is -1. Ids need not exist yet.
 */
export type BtfTypeInput =
  | {
      readonly kind: 'int'
      readonly name: string
      /** Bytes. */
      readonly size: number
      readonly bits?: number
      readonly offsetBits?: number
      readonly signed?: boolean
      readonly char?: boolean
      readonly bool?: boolean
    }
  | { readonly kind: 'ptr' | 'volatile' | 'const' | 'restrict'; readonly type: number }
  | {
      readonly kind: 'array'
      readonly type: number
      readonly indexType: number
      readonly length: number
    }
  | {
      readonly kind: 'struct' | 'union'
      readonly name: string
      /** Bytes. */
      readonly size: number
      readonly kindFlag?: boolean
      readonly members: readonly BtfMemberInput[]
    }
  | {
      readonly kind: 'enum' | 'enum64'
      readonly name: string
      /** Bytes. */
      readonly size: number
      readonly signed?: boolean
      readonly values: readonly { readonly name: string; readonly value: bigint | number }[]
    }
  | { readonly kind: 'fwd'; readonly name: string; readonly union?: boolean }
  | { readonly kind: 'typedef'; readonly name: string; readonly type: number }
  | { readonly kind: 'type_tag'; readonly name: string; readonly type: number; readonly kindFlag?: boolean }
  | {
      readonly kind: 'func'
      readonly name: string
      /** Id of a func_proto. */
      readonly type: number
      readonly linkage: BtfLinkage
    }
  | {
      readonly kind: 'func_proto'
      /** 0: void. */
      readonly returnType: number
      /** A last one without name and type 0 stands for varargs. */
      readonly params: readonly { readonly name: string; readonly type: number }[]
    }
  | { readonly kind: 'var'; readonly name: string; readonly type: number; readonly linkage: BtfLinkage }
  | {
      readonly kind: 'datasec'
      readonly name: string
      /** Bytes. */
      readonly size: number
      readonly vars: readonly { readonly type: number; readonly offset: number; readonly size: number }[]
    }
  | { readonly kind: 'float'; readonly name: string; readonly size: number }
  | {
      readonly kind: 'decl_tag'
      readonly name: string
      readonly type: number
      readonly component?: number
      readonly kindFlag?: boolean
    }

/** The input of one kind. */
export type BtfTypeInputOf<K extends BtfTypeInput['kind']> = Extract<BtfTypeInput, { readonly kind: K }>
