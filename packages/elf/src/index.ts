export { compressionOf, sectionContents } from './compression.ts'
export type { ElfCompression, Inflate, SectionContentsOptions } from './compression.ts'
export { debugLink } from './debug-link.ts'
export type { DebugLink } from './debug-link.ts'
export type { ElfFile, ElfRelocation, ElfSection, ElfSegment, ElfSymbol } from './elf-file.ts'
export {
  compressionTypes,
  fileTypes,
  machines,
  sectionFlags,
  sectionTypes,
  segmentTypes,
  specialSections,
  SymbolRow,
  symbolTypes,
  symbolVisibilities,
} from './elf-layout.ts'
export { elfSpecOf } from './elf-spec-of.ts'
export type { ElfSectionSpec, ElfSpec, ElfSymbolSpec } from './elf-spec.ts'
export { encodeElf } from './encode-elf.ts'
export type { ElfFailure, ElfSpecFailure } from './errors.ts'
export { fileOffsetOf, symbolFileOffset } from './file-offset.ts'
export { findSymbols } from './find-symbols.ts'
export { buildId, notes, parseNotes } from './notes.ts'
export type { ElfNote, ParseNotesOptions } from './notes.ts'
export { parseElf } from './parse-elf.ts'
export type { ParseElfOptions } from './parse-elf.ts'
export { usdtProbes } from './usdt.ts'
export type { UsdtProbe } from './usdt.ts'
export type { UsdtArgument, UsdtOperand } from './usdt-arguments.ts'
