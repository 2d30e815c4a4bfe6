import { defineErrors } from '@tsbpf/base'
import type { ReadFailure } from '@tsbpf/base'

/** Facts of an error about malformed data: the name of the BTF and where in it the fault is. */
export interface BtfFailure extends ReadFailure {
  /** Name of the BTF, as given to `parseBtf` or `parseBtfExt`. */
  readonly file: string
}

/** Facts of an error about a type that is well-formed but not fit for what was asked of it. */
export interface BtfTypeFault {
  readonly file: string
  readonly id: number
  /** What the type is: `struct sk_buff`. */
  readonly type: string
}

/** Facts of an error about a value. */
export interface BtfValueFault {
  /** Where in the value: `value.pos[2].x`. */
  readonly path: string
  readonly expected: string
  readonly actual: string
  /** C spelling of the whole value's type. */
  readonly type: string
  readonly hint?: string | undefined
}

/** Facts of an error about a path into a type. */
export interface BtfMemberFault {
  /** C spelling of the type in which the step was taken. */
  readonly type: string
  /** The path up to the step: `a.b[9]`. */
  readonly path: string
  readonly expected: string
  readonly actual: string
  readonly hint?: string | undefined
}

/** Facts of an error about a type to be built. */
export interface BtfBuildFault {
  readonly file: string
  readonly id: number
  /** What the type is: `struct point`. */
  readonly type: string
  /** Below the type: `members[2].name`. */
  readonly path: string
  readonly expected: string
  readonly actual: string
}

const where = (c: BtfFailure): string =>
  `${c.file}: ${c.path} at byte ${c.offset}: expected ${c.expected}, got ${c.actual}`
const damaged = 'the data is cut short or damaged: build it again or copy it again'
const inconsistent = 'no compiler writes this: look at it with bpftool btf dump, then build it again'

/**
 * Everything that can be wrong with BTF, or with what is asked of it. The context of a parse error is a
 * {@link BtfFailure}: `file`, `path` of the field, `offset` in the data, `expected`, `actual`.
 */
export const errors = defineErrors({
  /** The first bytes are not those of BTF or of `.BTF.ext`. */
  BTF_NOT_BTF: {
    message: where,
    hint: 'give the .BTF section of an object compiled with clang -g, or /sys/kernel/btf/vmlinux',
  },
  /** A version of BTF other than 1, or header flags that are not known. */
  BTF_VERSION: { message: where, hint: 'it needs a newer @tsbpf/btf, or it is damaged' },
  /** The header, a section or a type reaches past the end. */
  BTF_TRUNCATED: { message: where, hint: damaged },
  /** The sections named by the header overlap or are not aligned. */
  BTF_HEADER: { message: where, hint: inconsistent },
  /** A kind that is not known, so that the size of the type is not known either. */
  BTF_KIND: { message: where, hint: 'it needs a newer @tsbpf/btf, or it is damaged' },
  /** A string offset is out of range, a string does not end, or strings overlap without measure. */
  BTF_STRING: {
    message: where,
    hint: 'if this is a split BTF, give the base it was split from; otherwise build it again',
  },
  /** A type refers to an id that is out of range. */
  BTF_REFERENCE: {
    message: where,
    hint: 'if this is a split BTF, give the base it was split from; otherwise build it again',
  },
  /** A table of `.BTF.ext` has records of an impossible size, or none where there must be some. */
  BTF_EXT: { message: where, hint: inconsistent },
  /** The caller asked for an id that is out of range. */
  BTF_TYPE_ID: {
    message: (c: { readonly file: string; readonly id: number; readonly endId: number }) =>
      `${c.file}: there is no type ${c.id}: ids are 0 to ${c.endId - 1}`,
    hint: 'ids are those of one BTF: ask the one that the id came from',
  },
  /** Types that refer to each other in a circle, where C has none. */
  BTF_CYCLE: {
    message: (c: BtfTypeFault) =>
      `${c.file}: ${c.type} (type ${c.id}) leads back to itself or nests too deep`,
    hint: inconsistent,
  },
  /** A type whose values have no size: void, a function, a forward declaration. */
  BTF_NO_SIZE: {
    message: (c: BtfTypeFault) => `${c.file}: ${c.type} (type ${c.id}) has no size`,
    hint: 'only complete types have values: find the struct or union of that name',
  },
  /** A type whose size does not fit 32 bits. */
  BTF_SIZE: {
    message: (c: BtfTypeFault) => `${c.file}: ${c.type} (type ${c.id}) is 4 GiB or more`,
    hint: inconsistent,
  },
  /** A type that says something impossible about the place or size of what it holds. */
  BTF_LAYOUT: {
    message: (c: BtfTypeFault & { readonly expected: string; readonly actual: string }) =>
      `${c.file}: ${c.type} (type ${c.id}): expected ${c.expected}, got ${c.actual}`,
    hint: inconsistent,
  },
  /** A value that does not fit the type it is to be encoded as, or bytes too short to be decoded. */
  BTF_VALUE: {
    message: (c: BtfValueFault) => `${c.path}: expected ${c.expected}, got ${c.actual}`,
    hint: (c: BtfValueFault) => c.hint ?? `the value is encoded as ${c.type}`,
  },
  /** A path, or a query of members, that does not fit the type. */
  BTF_MEMBER: {
    message: (c: BtfMemberFault) => `${c.type}: ${c.path}: expected ${c.expected}, got ${c.actual}`,
    hint: (c: BtfMemberFault) => c.hint ?? 'members(btf, id) lists the members of a type with their places',
  },
  /** A type that is given to be built breaks a rule of BTF or of the kernel's BTF verifier. */
  BTF_BUILD: {
    message: (c: BtfBuildFault) =>
      `${c.file}: ${c.type} (type ${c.id}): ${c.path}: expected ${c.expected}, got ${c.actual}`,
    hint: "BTF of another maker that breaks the kernel's rules on purpose is built with { rules: 'none' }",
  },
  /** An id that a builder promised was never defined, or is defined twice. */
  BTF_BUILD_ID: {
    message: (c: { readonly file: string; readonly id: number; readonly what: string }) =>
      `${c.file}: type ${c.id} ${c.what}`,
    hint: 'define each reserved id once, and refer only to ids that this builder gave',
  },
  /** BTFs that cannot be put together: they are split from different bases. */
  BTF_BASE: {
    message: (c: { readonly file: string; readonly what: string }) => `${c.file}: ${c.what}`,
    hint: 'parse each with the same base',
  },
  /** A split BTF does not fit the base that it is relocated to, or cannot be distilled. */
  BTF_RELOCATE: {
    message: (c: {
      readonly file: string
      readonly id: number
      readonly type: string
      readonly what: string
    }) => `${c.file}: ${c.type} (type ${c.id} of the distilled base) ${c.what}`,
    hint: 'the module was built against another kernel: build it again for this one',
  },
  /** Types so alike that telling them apart takes more time than their number allows. */
  BTF_DEDUP: {
    message: (c: { readonly file: string; readonly id: number; readonly steps: number }) =>
      `${c.file}: gave up at type ${c.id} after ${c.steps} comparisons`,
    hint: inconsistent,
  },
  /** Types that cannot be printed: their text would have no measure. */
  BTF_PRINT: {
    message: (c: { readonly file: string; readonly what: string }) => `${c.file}: not printed: ${c.what}`,
    hint: inconsistent,
  },
  /** There is no type of the name that the caller asked for. */
  BTF_NO_TYPE: {
    message: (c: { readonly file: string; readonly name: string; readonly near: string | undefined }) =>
      `${c.file}: there is no type ${c.name}`,
    hint: (c: { readonly near: string | undefined }) =>
      c.near === undefined
        ? 'names are those of structs, unions, enums, typedefs and ints: list them with tsbpf btf dump'
        : `did you mean ${c.near}?`,
  },
  /** The symbol table does not say where a variable of a data section is. */
  BTF_DATA_SECTION: {
    message: (c: { readonly file: string; readonly section: string; readonly what: string }) =>
      `${c.file}: data section ${c.section}: ${c.what}`,
    hint: 'the BTF and the symbols of the object disagree: build it again, and strip it with llvm-strip -g alone',
  },
})
