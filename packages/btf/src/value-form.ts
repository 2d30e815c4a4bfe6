import type { RecordMember } from './record-node.ts'
import type { Face, IntegerRule } from './scalar-node.ts'
import type { ValueNode } from './value-node.ts'

/** What a node of values is, as data: from these the same reading and writing can be compiled. */
export type ValueForm =
  /** In whole bytes, in the byte order of the BTF. */
  | { readonly kind: 'integer'; readonly rule: IntegerRule }
  | { readonly kind: 'float' }
  /** `char[size]`. */
  | { readonly kind: 'text' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'array'; readonly element: ValueNode; readonly length: number }
  | { readonly kind: 'struct' | 'union'; readonly members: readonly RecordMember[] }
  /** Bits from bit `first` of the node's bytes. */
  | {
      readonly kind: 'bitfield'
      readonly rule: IntegerRule
      readonly first: number
      readonly face: Face | undefined
    }
  /** An integer shown as a boolean or by an enumerator's name. */
  | { readonly kind: 'faced'; readonly node: ValueNode; readonly face: Face }
