/**
 * The main functions of all packages behind one import: of each format what reads it and what writes it, of each stage the
 * function that does it, and the handles that these give. What asks further (queries, printers, probes) is in its
 * package. Nothing is loaded twice and nothing runs on import; for a library or a browser, import the package that
 * has what you need.
 */
export { isTsbpfError, TsbpfError, UnsupportedError } from '@tsbpf/base'
export type { InsnIndex, TypeId } from '@tsbpf/base'
export { assemble, buildInsns, buildObject, disassembleObject } from '@tsbpf/asm'
export { codec, encodeBtf, encodeBtfExt, formatType, parseBtf, parseBtfExt } from '@tsbpf/btf'
export type { Btf, BtfExt, BtfKind, BtfType, Codec } from '@tsbpf/btf'
export { explain, relocate } from '@tsbpf/core-reloc'
export type { CoreResult, TargetBtf } from '@tsbpf/core-reloc'
export { elfSpecOf, encodeElf, parseElf } from '@tsbpf/elf'
export type { ElfFile, ElfSection, ElfSpec, ElfSymbol } from '@tsbpf/elf'
export { decodeInsns, disassemble, encodeInsns, formatInsn, makeInsn } from '@tsbpf/isa'
export type { Dialect, Insn } from '@tsbpf/isa'
export { attach, Link } from '@tsbpf/link'
export type { AttachOptions, LinkInfo } from '@tsbpf/link'
export {
  load,
  LoadedObject,
  LoadedProgram,
  loadSync,
  missingPrivileges,
  openKernelBtf,
  preview,
  Variable,
  VerifierError,
} from '@tsbpf/loader'
export type { LoadOptions, LoadPreview, MissingPrivilege } from '@tsbpf/loader'
export { BpfMap, bytesCodec, createMap } from '@tsbpf/maps'
export type { ElementCodec, MapInfo } from '@tsbpf/maps'
export { encodeObject, linkObjects, linkSubprograms, parseObject, parseSectionName } from '@tsbpf/object'
export type { FunctionSpec, MapSpec, ObjectSpec, ProgramSpec } from '@tsbpf/object'
export type { Sys } from '@tsbpf/sys'
export { nativeSys } from '@tsbpf/sys/native'
