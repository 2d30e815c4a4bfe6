import { defineErrors } from '@tsbpf/base'
import type { ReadFailure } from '@tsbpf/base'

/** Facts of every error of this package: the file's name and where in it the fault is. */
export interface ElfFailure extends ReadFailure {
  /** Name of the file, as given to `parseElf`. */
  readonly file: string
}

/** Facts of an error about what `encodeElf` was given. */
export interface ElfSpecFailure {
  /** Path of the value that was given, such as `symbols[3].section`. */
  readonly path: string
  readonly expected: string
  readonly actual: string
}

const where = (c: ElfFailure): string =>
  `${c.file}: ${c.path} at byte ${c.offset}: expected ${c.expected}, got ${c.actual}`
const damaged = 'the file is cut short or damaged: build it again or copy it again'
const inconsistent = 'no linker writes such a file: look at it with llvm-readelf -a, then build it again'

/**
 * Everything that can be wrong with an ELF file. The context of each is an {@link ElfFailure}:
 * `file`, `path` of the field, `offset` in the file, `expected`, `actual`.
 */
export const errors = defineErrors({
  /** The first bytes are not those of an ELF file. */
  ELF_NOT_ELF: { message: where, hint: 'give a file compiled by clang -target bpf -g -O2 -c' },
  /** An ELF file of another class: only ELF64 is read. */
  ELF_CLASS: {
    message: where,
    hint: 'BPF objects are ELF64: compile with -target bpf, which gives that on every host',
  },
  /** `EI_DATA` names no byte order. */
  ELF_BYTE_ORDER: { message: where, hint: damaged },
  /** A version of ELF other than 1. */
  ELF_VERSION: { message: where, hint: damaged },
  /** A header or a table of headers reaches past the end of the file. */
  ELF_TRUNCATED: { message: where, hint: damaged },
  /** A section reaches past the end of the file. */
  ELF_SECTION_BOUNDS: { message: where, hint: damaged },
  /** Two parts of the file claim the same bytes. */
  ELF_OVERLAP: { message: where, hint: inconsistent },
  /** A segment reaches past the end of the file or of memory. */
  ELF_SEGMENT: { message: where, hint: damaged },
  /** A table's rows are of a size that its type does not have, or do not fill it. */
  ELF_ENTRY_SIZE: { message: where, hint: inconsistent },
  /** A section refers to another by an index that is out of range, or to one of the wrong type. */
  ELF_LINK: { message: where, hint: inconsistent },
  /** A name's offset is outside its string table, the name does not end, or names overlap without measure. */
  ELF_STRING: { message: where, hint: inconsistent },
  /** A row of a symbol table says something impossible. */
  ELF_SYMBOL: { message: where, hint: inconsistent },
  /** A row of a relocation table says something impossible. */
  ELF_RELOCATION: { message: where, hint: inconsistent },
  /** A note reaches past the end of its section, or the section has an impossible alignment. */
  ELF_NOTE: { message: where, hint: damaged },
  /** A USDT probe's note is cut short, or its arguments are in no known form. */
  ELF_USDT: { message: where, hint: 'compare with readelf -n; argumentText has the arguments as they are' },
  /** A compressed section has no proper header, or did not decompress to the size that it states. */
  ELF_COMPRESSED: { message: where, hint: damaged },
  /** `.gnu_debuglink` does not hold a name and a checksum. */
  ELF_DEBUG_LINK: { message: where, hint: damaged },
  /** What was to be encoded is no ELF file; the context is an {@link ElfSpecFailure}. */
  ELF_SPEC: {
    message: (c: ElfSpecFailure) => `${c.path}: expected ${c.expected}, got ${c.actual}`,
    hint: 'correct the value at this path of what was given to encodeElf',
  },
})
