/** A parsed ELF64 file: tables are read once, names, symbols and relocations when they are asked for. */
export interface ElfFile {
  /** Name of the file, as given to `parseElf`, for messages. */
  readonly name: string
  /** The input; every `data` below aliases it. */
  readonly bytes: Uint8Array
  readonly littleEndian: boolean
  /** `e_type`: 1 relocatable, 2 executable, 3 shared object. */
  readonly type: number
  /** `e_machine`: 247 is BPF. */
  readonly machine: number
  /** `e_entry`: the address where an executable starts; 0 elsewhere. */
  readonly entry: bigint
  /** All sections in file order, the null section first, so that the index is the ELF section index. */
  readonly sections: readonly ElfSection[]
  /** The first section of that name. */
  section(name: string): ElfSection | undefined
  /** All rows of `.symtab` in file order, the null symbol first; empty where there is no table. */
  readonly symbols: readonly ElfSymbol[]
  /** All rows of `.dynsym`, which survives stripping, in the same form; names are without their version. */
  readonly dynamicSymbols: readonly ElfSymbol[]
  /** All program headers in file order; empty in a relocatable file. */
  readonly segments: readonly ElfSegment[]
  /** The REL or RELA rows that apply to `section`, in file order; empty where there are none. */
  relocations(section: ElfSection): readonly ElfRelocation[]
}

/** One section header and its bytes. */
export interface ElfSection {
  readonly index: number
  /** Offset in the file of its header. */
  readonly headerOffset: number
  readonly name: string
  /** `sh_type`: 1 PROGBITS, 2 SYMTAB, 3 STRTAB, 4 RELA, 8 NOBITS, 9 REL. */
  readonly type: number
  readonly flags: bigint
  readonly addr: bigint
  /** Bytes from the start of the file. */
  readonly offset: number
  /** Bytes; of a NOBITS section the size in memory, up to 2^53 whatever the size of the file. */
  readonly size: number
  readonly link: number
  readonly info: number
  readonly addralign: bigint
  readonly entsize: number
  /** View of the section's bytes in the file; empty for NOBITS. */
  readonly data: Uint8Array
}

/** One program header and its bytes. */
export interface ElfSegment {
  readonly index: number
  /** `p_type`: 1 LOAD, 2 DYNAMIC, 3 INTERP, 4 NOTE, 6 PHDR, 7 TLS. */
  readonly type: number
  /** `p_flags`: 1 executable, 2 writable, 4 readable. */
  readonly flags: number
  /** Bytes from the start of the file. */
  readonly offset: number
  /** Address of its first byte in memory; of a shared object counted from where it is loaded. */
  readonly vaddr: bigint
  readonly paddr: bigint
  /** Bytes in the file. */
  readonly filesz: number
  /** Bytes in memory, an unchecked word of the file; what the file does not have is zero. */
  readonly memsz: bigint
  readonly align: bigint
  /** View of the segment's bytes in the file. */
  readonly data: Uint8Array
}

/** One row of a symbol table. */
export interface ElfSymbol {
  readonly index: number
  readonly name: string
  /** 0 NOTYPE, 1 OBJECT, 2 FUNC, 3 SECTION, 4 FILE. */
  readonly type: number
  readonly binding: 'local' | 'global' | 'weak' | 'other'
  /** 0 DEFAULT, 1 INTERNAL, 2 HIDDEN, 3 PROTECTED. */
  readonly visibility: number
  /**
   * Section index; 0 undefined, 0xfff1 absolute, 0xfff2 common. In a file of more than 65,279 sections a true index may
   * look like one of those.
   */
  readonly section: number
  /** Offset in the section of a relocatable file, an address otherwise. */
  readonly value: bigint
  /** Bytes. */
  readonly size: number
}

/** One row of a relocation table. */
export interface ElfRelocation {
  /** Bytes from the start of the section it applies to. */
  readonly offset: number
  /** Index in the symbol table. */
  readonly symbol: number
  readonly type: number
  /** Only in a RELA row. */
  readonly addend?: bigint
}
