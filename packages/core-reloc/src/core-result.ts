import type { InsnIndex, TsbpfError, TypeId } from '@tsbpf/base'
import type { BtfKind } from '@tsbpf/btf'

/** A BTF type as data. */
export interface CoreType {
  readonly id: TypeId
  /** Empty for an anonymous type. */
  readonly name: string
  readonly kind: BtfKind
  /** Whose BTF the id counts in: `object` for the object's own, else the target's name. */
  readonly source: string
}

/** What became of one candidate of a relocation, and why. */
export interface CoreCandidate {
  readonly type: CoreType
  /**
   * `chosen`: the first that fits; `agrees`: fits too and gives the same value; `disagrees`: fits but gives another,
   * so that the relocation fails; `mismatch`: does not fit; `ruled_out`: did not fit an earlier relocation of the same
   * local type.
   */
  readonly verdict: 'chosen' | 'agrees' | 'disagrees' | 'mismatch' | 'ruled_out'
  /** The access as it is in the candidate, where it fits; spelt as {@link CoreResult.accessText}. */
  readonly accessText: string | undefined
  /** Why it lost; `undefined` for one that did not. */
  readonly why: string | undefined
}

/**
 * What became of one CO-RE relocation. `accessText`, `line`, `before` and `after` are worked out when they are read: a copy
 * by spread does not have them.
 */
export interface CoreResult {
  /** Name of the function, which may be a subprogram. */
  readonly program: string
  readonly insn: InsnIndex
  /** As libbpf's debug log spells it: `byte_off`; `core_relo_kind(57)` for a number that is not known. */
  readonly kind: string
  /** The type that the relocation starts from, in the object's BTF. */
  readonly localType: CoreType
  /** Accessor string: `0:1:2`. */
  readonly access: string
  /**
   * The local access as libbpf's debug log spells it: `struct task_struct.real_parent (0:57 @ offset 2472)`,
   * `enum bpf_func_id::BPF_FUNC_loop = 181`, `struct sk_buff`.
   */
  readonly accessText: string
  /**
   * `resolved`: the instruction is what it must be for the target, changed or not. `poisoned`: nothing in the target
   * answers, so the instruction became a call that the verifier refuses where it can be reached; no failure by itself.
   * `failed`: the instruction is as it was, and `error` says why; libbpf would not load the object.
   */
  readonly status: 'resolved' | 'poisoned' | 'failed'
  /**
   * Value that the instruction held, as libbpf's debug log prints it: 64 bits, unsigned. `undefined` where the
   * instruction is none that holds one.
   */
  readonly oldValue: bigint | undefined
  /** Value that it holds now, likewise; `undefined` unless resolved. */
  readonly newValue: bigint | undefined
  /** Bytes that a load or store accessed and accesses now, where that changed. */
  readonly memSize: { readonly from: number; readonly to: number } | undefined
  /** The chosen candidate; `undefined` where none fits or none is needed. */
  readonly targetType: CoreType | undefined
  /** Every candidate, in the order in which they were tried. */
  readonly candidates: readonly CoreCandidate[]
  /** Names program, instruction, source line, local type and access in its message, and all of it in its context. */
  readonly error: TsbpfError | undefined
  /** The source line, where the object says. */
  readonly line: CoreLine | undefined
  /** Byte order of `before` and `after`. */
  readonly littleEndian: boolean
  /** The instruction before, 8 or 16 bytes in the object's byte order; a view of the input. Empty out of range. */
  readonly before: Uint8Array
  /** The instruction after; a view of the output, or of the input where nothing changed. */
  readonly after: Uint8Array
}

/** A place in the program's source. */
export interface CoreLine {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly text: string
}
