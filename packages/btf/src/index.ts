export type { BtfCoreRelocation, BtfExt, BtfExtSection, BtfFuncInfo, BtfLineInfo } from './btf-ext.ts'
export type {
  Btf,
  BtfKind,
  BtfMember,
  BtfMemberAt,
  BtfParam,
  BtfSecVar,
  BtfType,
  BtfTypeOf,
} from './btf-type.ts'
export type { BtfFailure, BtfMemberFault, BtfTypeFault, BtfValueFault } from './errors.ts'
export { codec } from './codec.ts'
export type { Codec, CodecOptions, DecodeManyOptions } from './codec.ts'
export { fixupDataSections } from './data-sections.ts'
export type { DataSectionPlaces, DataVariablePlace } from './data-sections.ts'
export { essentialName } from './essential-name.ts'
export { formatType } from './format-type.ts'
export { kinds } from './kinds.ts'
export { memberBits } from './member-bits.ts'
export type { MemberBits } from './member-bits.ts'
export { parseBtf } from './parse-btf.ts'
export type { ParseBtfOptions } from './parse-btf.ts'
export { parseBtfExt } from './parse-btf-ext.ts'
export type { ParseBtfExtOptions } from './parse-btf-ext.ts'
export { staticFunctions } from './static-functions.ts'
export * from './build/index.ts'
export * from './print/index.ts'
export * from './query/index.ts'
