import { bytes, defineTable, struct, u16, u32, u64 } from '@tsbpf/base'

/** `e_ident`, the bytes that are alike in every class and byte order (System V gABI, "ELF Identification"). */
export const ident = {
  magic: [0x7f, 0x45, 0x4c, 0x46],
  classAt: 4,
  dataAt: 5,
  versionAt: 6,
  size: 16,
} as const

/** `Elf64_Ehdr` (include/uapi/linux/elf.h). */
export const FileHeader = /* @__PURE__ */ struct('Elf64_Ehdr', {
  e_ident: bytes(16),
  e_type: u16,
  e_machine: u16,
  e_version: u32,
  e_entry: u64,
  e_phoff: u64,
  e_shoff: u64,
  e_flags: u32,
  e_ehsize: u16,
  e_phentsize: u16,
  e_phnum: u16,
  e_shentsize: u16,
  e_shnum: u16,
  e_shstrndx: u16,
})

/** `Elf64_Shdr` (include/uapi/linux/elf.h). */
export const SectionHeader = /* @__PURE__ */ struct('Elf64_Shdr', {
  sh_name: u32,
  sh_type: u32,
  sh_flags: u64,
  sh_addr: u64,
  sh_offset: u64,
  sh_size: u64,
  sh_link: u32,
  sh_info: u32,
  sh_addralign: u64,
  sh_entsize: u64,
})

/** `Elf64_Phdr`. */
export const ProgramHeader = /* @__PURE__ */ struct('Elf64_Phdr', {
  p_type: u32,
  p_flags: u32,
  p_offset: u64,
  p_vaddr: u64,
  p_paddr: u64,
  p_filesz: u64,
  p_memsz: u64,
  p_align: u64,
})

/** `Elf64_Nhdr`. */
export const NoteHeader = /* @__PURE__ */ struct('Elf64_Nhdr', { n_namesz: u32, n_descsz: u32, n_type: u32 })

/** `Elf64_Chdr` (System V gABI, "Compression Header"). */
export const CompressionHeader = /* @__PURE__ */ struct('Elf64_Chdr', {
  ch_type: u32,
  ch_reserved: u32,
  ch_size: u64,
  ch_addralign: u64,
})

/** `Elf64_Sym`: sizes and places; tables of it are read field by field, for speed. */
export const SymbolRow = /* @__PURE__ */ struct('Elf64_Sym', {
  st_name: u32,
  st_info: bytes(1),
  st_other: bytes(1),
  st_shndx: u16,
  st_value: u64,
  st_size: u64,
})

/** `Elf64_Rel`. */
export const RelRow = /* @__PURE__ */ struct('Elf64_Rel', { r_offset: u64, r_info: u64 })

/** `Elf64_Rela`. */
export const RelaRow = /* @__PURE__ */ struct('Elf64_Rela', { r_offset: u64, r_info: u64, r_addend: u64 })

/** Section types, `sh_type` (System V gABI, "Section Header"). */
export const sectionTypes = /* @__PURE__ */ defineTable('section_type', [
  { name: 'null', value: 0 },
  { name: 'progbits', value: 1 },
  { name: 'symtab', value: 2 },
  { name: 'strtab', value: 3 },
  { name: 'rela', value: 4 },
  { name: 'hash', value: 5 },
  { name: 'dynamic', value: 6 },
  { name: 'note', value: 7 },
  { name: 'nobits', value: 8 },
  { name: 'rel', value: 9 },
  { name: 'dynsym', value: 11 },
  { name: 'init_array', value: 14 },
  { name: 'fini_array', value: 15 },
  { name: 'preinit_array', value: 16 },
  { name: 'group', value: 17 },
  { name: 'symtab_shndx', value: 18 },
])

/** Section flags, `sh_flags` (System V gABI, "Section Attribute Flags"). */
export const sectionFlags = /* @__PURE__ */ defineTable('section_flag', [
  { name: 'write', value: 0x1 },
  { name: 'alloc', value: 0x2 },
  { name: 'execinstr', value: 0x4 },
  { name: 'merge', value: 0x10 },
  { name: 'strings', value: 0x20 },
  { name: 'info_link', value: 0x40 },
  { name: 'link_order', value: 0x80 },
  { name: 'os_nonconforming', value: 0x100 },
  { name: 'group', value: 0x200 },
  { name: 'tls', value: 0x400 },
  { name: 'compressed', value: 0x800 },
  { name: 'exclude', value: 0x8000_0000 },
])

/** Segment types, `p_type` (System V gABI, "Program Header"; include/uapi/linux/elf.h). */
export const segmentTypes = /* @__PURE__ */ defineTable('segment_type', [
  { name: 'null', value: 0 },
  { name: 'load', value: 1 },
  { name: 'dynamic', value: 2 },
  { name: 'interp', value: 3 },
  { name: 'note', value: 4 },
  { name: 'shlib', value: 5 },
  { name: 'phdr', value: 6 },
  { name: 'tls', value: 7 },
  { name: 'gnu_eh_frame', value: 0x6474_e550 },
  { name: 'gnu_stack', value: 0x6474_e551 },
  { name: 'gnu_relro', value: 0x6474_e552 },
  { name: 'gnu_property', value: 0x6474_e553 },
])

/** Compression of a section, `ch_type` (System V gABI, "Compression Header"). */
export const compressionTypes = /* @__PURE__ */ defineTable('compression', [
  { name: 'zlib', value: 1 },
  { name: 'zstd', value: 2 },
])

/** Machines, `e_machine`, on which BPF programs and their targets live (include/uapi/linux/elf-em.h). */
export const machines = /* @__PURE__ */ defineTable('machine', [
  { name: '386', value: 3 },
  { name: 's390', value: 22 },
  { name: 'arm', value: 40 },
  { name: 'x86_64', value: 62 },
  { name: 'aarch64', value: 183 },
  { name: 'riscv', value: 243 },
  { name: 'bpf', value: 247 },
  { name: 'loongarch', value: 258 },
])

/** File types, `e_type` (System V gABI, "ELF Header"). */
export const fileTypes = /* @__PURE__ */ defineTable('file_type', [
  { name: 'none', value: 0 },
  { name: 'relocatable', value: 1 },
  { name: 'executable', value: 2 },
  { name: 'shared_object', value: 3 },
  { name: 'core', value: 4 },
])

/** Symbol types, the low four bits of `st_info` (System V gABI, "Symbol Table"). */
export const symbolTypes = /* @__PURE__ */ defineTable('symbol_type', [
  { name: 'notype', value: 0 },
  { name: 'object', value: 1 },
  { name: 'func', value: 2 },
  { name: 'section', value: 3 },
  { name: 'file', value: 4 },
  { name: 'common', value: 5 },
  { name: 'tls', value: 6 },
])

/** Symbol visibilities, the low two bits of `st_other` (System V gABI, "Symbol Table"). */
export const symbolVisibilities = /* @__PURE__ */ defineTable('symbol_visibility', [
  { name: 'default', value: 0 },
  { name: 'internal', value: 1 },
  { name: 'hidden', value: 2 },
  { name: 'protected', value: 3 },
])

/** Section indexes with a meaning of their own, `SHN_*` (System V gABI, "Special Section Indexes"). */
export const specialSections = /* @__PURE__ */ defineTable('section_index', [
  { name: 'undef', value: 0 },
  { name: 'abs', value: 0xfff1 },
  { name: 'common', value: 0xfff2 },
  { name: 'xindex', value: 0xffff },
])

/** First section index that is no index but a special meaning (`SHN_LORESERVE`). */
export const firstReservedSection = 0xff00
