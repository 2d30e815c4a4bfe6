import type { ElfRelocation } from './elf-file.ts'

/**
 * A relocatable file as a value, for `encodeElf`. Sections and symbols are numbered from 1 in the order of their array
 * (so that `array.push(row)` returns a row's number), as in the file; 0 is none. The symbol table, tables of
 * relocations and tables of strings are not in `sections`: they are made.
 */
export interface ElfSpec {
  /** True unless given. */
  readonly littleEndian?: boolean
  /** `e_machine`; 247, BPF, unless given. */
  readonly machine?: number
  /** `e_flags`; 0 unless given. */
  readonly flags?: number
  readonly sections: readonly ElfSectionSpec[]
  /** In any order; the file has local ones first, otherwise in this order. */
  readonly symbols?: readonly ElfSymbolSpec[]
}

/** One section of an {@link ElfSpec}. What is not given is 0 or empty. */
export interface ElfSectionSpec {
  readonly name: string
  /** `sh_type`; 1, PROGBITS, unless given. */
  readonly type?: number
  readonly flags?: bigint
  readonly addr?: bigint
  /** A power of two up to 65536; 1 unless given. */
  readonly addralign?: bigint
  readonly entsize?: number
  /** Number of a section, or `symtab` for the table of symbols that is made. */
  readonly link?: number | 'symtab'
  readonly info?: number
  /** Copied into the file. */
  readonly data?: Uint8Array
  /** Bytes in memory of a NOBITS section, which has no data. */
  readonly size?: number
  /** Rows that apply to this section: all with an addend (RELA) or all without (REL, as BPF has them). */
  readonly relocations?: readonly ElfRelocation[]
}

/** One symbol of an {@link ElfSpec}; an `ElfSymbol` fits. What is not given is 0. */
export interface ElfSymbolSpec {
  readonly name: string
  readonly type?: number
  /** `local` unless given. */
  readonly binding?: 'local' | 'global' | 'weak'
  readonly visibility?: number
  /** Number of a section; 0 undefined, 0xfff1 absolute, 0xfff2 common. */
  readonly section?: number
  readonly value?: bigint
  readonly size?: number
}
