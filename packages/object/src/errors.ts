import { defineErrors, suggest } from '@tsbpf/base'
import type { ReadFailure } from '@tsbpf/base'

/** Facts of every error about the bytes of an object: the object's name and where in its file the fault is. */
export interface ObjectFailure extends ReadFailure {
  /** Name of the object, as given to `parseObject`. */
  readonly file: string
}

const where = (c: ObjectFailure): string =>
  `${c.file}: ${c.path} at byte ${c.offset}: expected ${c.expected}, got ${c.actual}`
const inconsistent = 'no compiler writes this: look at it with llvm-readelf -a, then build it again'

/**
 * Everything that can be wrong with an object, or with linking its functions. The context of a parse error is an
 * {@link ObjectFailure}: `file`, `path`, `offset` in the file, `expected`, `actual`.
 */
export const errors = defineErrors({
  /** An ELF file, but not a relocatable object for BPF. */
  OBJECT_NOT_BPF: { message: where, hint: 'compile the source with clang -target bpf -g -O2 -c' },
  /** A section `maps` holds something else than `struct bpf_map_def`, as iproute2's `struct bpf_elf_map`. */
  OBJECT_LEGACY_MAPS: {
    message: where,
    hint: 'declare each map as a struct with __uint and __type in SEC(".maps"), which has more fields',
  },
  /** A function's symbol has no size, lies outside its section, is not aligned, or overlaps another. */
  OBJECT_FUNCTION: {
    message: where,
    hint: 'in assembly give each function .type name,@function and .size; else build the object again',
  },
  /** A relocation row that points nowhere, or that an instruction cannot take. */
  OBJECT_RELOCATION: { message: where, hint: inconsistent },
  /** A relocation against something that no instruction can refer to. */
  OBJECT_RELOCATION_TARGET: {
    message: where,
    hint: 'put global variables into .data, .bss or .rodata (a name after a dot may follow) and initialise common ones',
  },
  /** A call that leads to no function's first instruction. */
  OBJECT_CALL_TARGET: { message: where, hint: inconsistent },
  /** Maps or externs need BTF, and the object has none. */
  OBJECT_NO_BTF: { message: where, hint: 'compile with clang -g, and do not strip the section .BTF' },
  /** A BTF-defined map says something impossible. */
  OBJECT_MAP: {
    message: where,
    hint: 'see the maps of libbpf: __uint, __type and __array of bpf_helpers.h, all in SEC(".maps")',
  },
  /** A map to be pinned by name has a name that is no file name. */
  OBJECT_PIN_NAME: {
    message: where,
    hint: 'rename the map: its name becomes a file name in the BPF file system',
  },
  /** An initial entry of a prog array or a map of maps is not what it has to be. */
  OBJECT_MAP_VALUES: {
    message: where,
    hint: 'initialise .values with programs, or with maps declared in SEC(".maps")',
  },
  /** Two maps or two programs share a name. */
  OBJECT_DUPLICATE_NAME: { message: where, hint: 'rename one of them' },
  /** An extern that is neither a ksym, a kfunc nor a kconfig value, or of a type that none can have. */
  OBJECT_EXTERN: {
    message: where,
    hint: 'declare it with __ksym or __kconfig, include its definition, or link the objects (linkObjects)',
  },
  /** A data section larger than an array map can be. */
  OBJECT_DATA_SIZE: { message: where, hint: 'keep large data in a map of its own' },
  /** The `version` section is not one number. */
  OBJECT_VERSION: {
    message: where,
    hint: 'declare it as a __u32, or leave it out: kernels since 5.0 ignore it',
  },
  /** A row of `.BTF.ext` is not at an instruction. */
  OBJECT_BTF_EXT: { message: where, hint: inconsistent },
  /** A struct_ops variable that describes no struct, or an operation that is no program of `SEC("struct_ops")`. */
  OBJECT_STRUCT_OPS: { message: where, hint: 'declare it as a struct of the kernel that holds operations' },
  /** A table of `.jumptables` that leads out of the function that jumps by it. */
  OBJECT_JUMP_TABLE: { message: where, hint: inconsistent },

  /** The object has no global variable with that name. */
  OBJECT_UNKNOWN_VARIABLE: {
    message: (c: { name: string; names: readonly string[] }) => `the object has no variable ${c.name}`,
    hint: (c: { name: string; names: readonly string[] }) => suggest(c.name, c.names),
  },
  /** A variable cannot have that value. */
  OBJECT_VARIABLE_VALUE: {
    message: (c: { name: string; expected: string }) => `variable ${c.name}: ${c.expected}`,
    hint: 'give a value of the type that it was declared with, or a Uint8Array of its size',
  },

  /** What was to be encoded is no object: the path says which part of the spec. */
  OBJECT_SPEC: {
    message: (c: { path: string; expected: string; actual: string }) =>
      `${c.path}: expected ${c.expected}, got ${c.actual}`,
    hint: 'correct the value at this path of the spec that was given to encodeObject',
  },
  /** Two objects of a static link define the same name, neither of them weakly. */
  OBJECT_LINK_CONFLICT: {
    message: (c: { name: string; first: string; second: string }) =>
      `${c.name} is defined by ${c.first} and by ${c.second}`,
    hint: 'make one of them static, weak, or an extern of the other',
  },
  /** Objects of a static link mean different things by the same name. */
  OBJECT_LINK_TYPE: {
    message: (c: { name: string; first: string; second: string; what: string }) =>
      `${c.name} is not the same in ${c.first} and in ${c.second}: ${c.what}`,
    hint: 'declare it in one header that both sources include, and compile both with -g',
  },
  /** Objects that do not fit each other: of two byte orders, licences, versions, or kinds of a section. */
  OBJECT_LINK_MISMATCH: {
    message: (c: { first: string; second: string; what: string }) =>
      `${c.first} and ${c.second} cannot be one object: ${c.what}`,
    hint: 'build all objects of a link for one target, under one licence',
  },
  /** A program or subprogram refers to a function that the object does not have. */
  OBJECT_NO_SUBPROGRAM: {
    message: (c: {
      program: string
      function: string
      insn: number
      name: string
      names: readonly string[]
    }) =>
      `${c.program}: instruction ${c.insn} of ${c.function} refers to the subprogram ${c.name}, which is not in the object`,
    hint: (c: { name: string; names: readonly string[] }) => suggest(c.name, c.names),
  },
  /** A reference to a subprogram stands at an instruction that is neither a call nor a wide load. */
  OBJECT_REFERENCE_INSN: {
    message: (c: { program: string; function: string; insn: number; expected: string; actual: string }) =>
      `${c.program}: instruction ${c.insn} of ${c.function}: expected ${c.expected}, got ${c.actual}`,
    hint: 'the instructions and the relocations of this function do not belong together',
  },
  /** A program that no kernel would take: longer than a million instructions with its subprograms. */
  OBJECT_PROGRAM_SIZE: {
    message: (c: { program: string; insns: number; limit: number }) =>
      `${c.program} has ${c.insns} instructions with its subprograms, and the kernel takes at most ${c.limit}`,
    hint: 'split it with tail calls, or let loops run (bpf_loop) instead of unrolling them',
  },
  /** A program's exception callback is not a global function of the object. */
  OBJECT_EXCEPTION_CALLBACK: {
    message: (c: { program: string; name: string; actual: string }) =>
      `${c.program}: its exception callback ${c.name === '' ? '(no name)' : c.name} is ${c.actual}`,
    hint: 'name a global, visible function of the same object in __exception_cb()',
  },
})
