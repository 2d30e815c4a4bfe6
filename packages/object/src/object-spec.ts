import type { InsnIndex, TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'

/**
 * What a symbolic operand of an instruction stands for, until the loader knows descriptors and addresses.
 * `map`, `data` and `jump_table` stand in a wide load; `subprogram` in a call or, as a callback's address, in a wide
 * load; `extern` in either.
 */
export type InsnReference =
  | { readonly kind: 'map'; readonly name: string }
  /** `offset` bytes (32 bits, unsigned, unchecked) into the map of a data section (`.rodata`, `.data`, `.bss`, …), or an arena. */
  | { readonly kind: 'data'; readonly map: string; readonly offset: number }
  | { readonly kind: 'subprogram'; readonly name: string; readonly use: 'call' | 'address' }
  | { readonly kind: 'extern'; readonly name: string; readonly use: 'call' | 'address' }
  /** The address of the table of an indirect jump: the slots of its entries, counted as the instruction itself is. */
  | { readonly kind: 'jump_table'; readonly name: string; readonly targets: readonly InsnIndex[] }

/** A symbolic operand: instruction `insn` of the function refers to `ref`. */
export interface InsnRelocation {
  readonly insn: InsnIndex
  readonly ref: InsnReference
}

/** A CO-RE relocation of instruction `insn` of the function. */
export interface CoreRelocation {
  readonly insn: InsnIndex
  /** Local type, in the object's BTF. */
  readonly type: TypeId
  /** Accessor string: `0:1:2`. */
  readonly access: string
  /** Number of the kind (enum bpf_core_relo_kind). */
  readonly kind: number
}

/** Source line of instruction `insn` of the function and those after it. */
export interface LineInfo {
  readonly insn: InsnIndex
  readonly file: string
  readonly line: number
  readonly column: number
  readonly text: string
  readonly fileOffset: number
  readonly textOffset: number
}

/** One function of the object, unlinked: a program's entry or a subprogram. */
export interface FunctionSpec {
  /** Unique among the object's functions; a static one that shares its name with another has a number behind it. */
  readonly name: string
  /** Name of the section, without the `?` that switches autoload off. */
  readonly section: string
  /** Bytes from the start of the section. */
  readonly sectionOffset: number
  readonly binding: 'local' | 'global' | 'weak'
  /** Hidden (or internal) visibility: only objects of one static link may name it. */
  readonly hidden?: boolean
  /** Instructions in the object's byte order; a view of the object's bytes until a stage has changed them. */
  readonly insns: Uint8Array
  readonly relocations: readonly InsnRelocation[]
  readonly coreRelocations: readonly CoreRelocation[]
  /** The FUNC that describes it in the object's BTF. */
  readonly btfFunc: TypeId | undefined
  readonly lineInfo: readonly LineInfo[]
}

/** A function that the kernel can enter, with what its section name says about it. */
export interface ProgramSpec extends FunctionSpec {
  /** Kernel spelling in lower case (`tracepoint`); `undefined` for an unknown section name. */
  readonly type: string | undefined
  /** Kernel spelling in lower case (`trace_fentry`); `undefined` where the type has none. */
  readonly attachType: string | undefined
  /** Text after the section prefix's first `/`: `raw_syscalls/sys_enter`. */
  readonly attachTo: string | undefined
  readonly sleepable: boolean
  /** False for a section name that starts with `?`. */
  readonly autoload: boolean
  /** `BPF_F_*` flags for the load that the section name asks for. */
  readonly flags: number
}

/** A map as the object declares it; a data section is one too. */
export interface MapSpec {
  /** Full name; a data section's is the section name. */
  readonly name: string
  /** Name for the kernel: at most 15 bytes of its alphabet, made as libbpf makes it. */
  readonly kernelName: string
  /** Kernel spelling in lower case: `percpu_array`; `map_type(57)` for a number that is not known. */
  readonly type: string
  readonly typeValue: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly extra: bigint
  readonly numaNode: number | undefined
  readonly pinning: 'none' | 'by_name'
  /** Types of key and value in the object's BTF; a data section's value is its DATASEC, a struct_ops map's its struct. */
  readonly keyType: TypeId | undefined
  readonly valueType: TypeId | undefined
  /** Template of the maps in a map of maps. */
  readonly inner: MapSpec | undefined
  /** Initial entries of a prog array or map of maps: a program's or map's name by index. */
  readonly values: readonly { readonly index: number; readonly name: string }[]
  /** For a data section: its kind and its initial bytes (a view of the object; zeroes for `.bss`, made when read). */
  readonly data:
    | {
        readonly section: 'rodata' | 'data' | 'bss' | 'kconfig'
        readonly bytes: Uint8Array
        /** Alignment in bytes that the section asks for, a power of two; 8 unless given. */
        readonly align?: number
      }
    | undefined
  /** Declared weak: in a static link another object's map of that name goes before it. */
  readonly weak?: boolean
  /** For an arena with variables (section `.addr_space.1`): their initial bytes, a view of the object. */
  readonly arena?: Uint8Array | undefined
  /** For a struct_ops map: what the object puts into the struct. */
  readonly structOps?: StructOpsSpec | undefined
}

/** The initial value of a struct_ops map: a variable of `.struct_ops` or `.struct_ops.link`. */
export interface StructOpsSpec {
  /** False for a section name that starts with `?`: such a map is not created unless somebody asks for it. */
  readonly autocreate: boolean
  /** The struct as the object lays it out, a view of the object; where a program stands, its bytes mean nothing. */
  readonly bytes: Uint8Array
  /** The operations that are programs, in the order of the struct's members. */
  readonly programs: readonly {
    /** Name and index of the struct's member, which is a pointer to a function. */
    readonly member: string
    readonly index: number
    readonly program: string
  }[]
}

/** A global variable of a data section, or of an arena (section `.addr_space.1`). */
export interface VariableSpec {
  readonly name: string
  readonly section: string
  /** Bytes from the start of the section. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
  /** The variable's own type, not the VAR. */
  readonly type: TypeId | undefined
  /** Defined weak: in a static link another object's variable of that name goes before it. */
  readonly weak?: boolean
}

/** A symbol that the kernel or its configuration supplies, or another object of a static link. */
export interface ExternSpec {
  readonly name: string
  /** `global`: a function, variable or map of another object; only `linkObjects` knows what to do with it. */
  readonly kind: 'kconfig' | 'ksym' | 'kfunc' | 'global'
  /** May be missing: an address or value of it is then 0. */
  readonly weak: boolean
  /** The variable's own type (void for a ksym without one), or the FUNC of a function. */
  readonly type: TypeId | undefined
}

/**
 * Everything a compiled object says, host-independent and inert: no descriptor, no address, no kernel fact.
 * Arrays are in file order; maps in libbpf's, which puts those of `.maps` before data sections. `parseObject` makes it, `relocate` changes its instructions, `load` makes it live.
 */
export interface ObjectSpec {
  readonly byteOrder: 'little' | 'big'
  /** Text of the `license` section; empty where there is none. */
  readonly license: string
  /** Number in the `version` section, for kprobes of old kernels. */
  readonly kernelVersion: number | undefined
  readonly programs: readonly ProgramSpec[]
  /** Functions that programs call (`.text` and others that are no program), not yet appended to any. */
  readonly subprograms: readonly FunctionSpec[]
  readonly maps: readonly MapSpec[]
  readonly variables: readonly VariableSpec[]
  /** Those of hidden visibility: only objects of one static link may name them. */
  readonly hiddenVariables?: readonly VariableSpec[]
  readonly externs: readonly ExternSpec[]
  /**
   * The object's BTF with its data sections completed (sizes and offsets from the symbol table);
   * `undefined` where the object has none.
   */
  readonly btf: Btf | undefined
}
