export { buildInsns } from './build-insns.ts'
export type { BuildInsnsOptions } from './build-insns.ts'
export { buildObject } from './build-object.ts'
export type { BuildObjectOptions, ObjectDefinition } from './build-object.ts'
export { array, bool, char, ptr, s16, s32, s64, s8, struct, u16, u32, u64, u8, union } from './c-type.ts'
export type { CType } from './c-type.ts'
export { callLine } from './call-site.ts'
export type { SourceSite, ResolveSite, SourceLine, Trace } from './call-site.ts'
export { cpuLevelOf } from './cpu-level.ts'
export type { CpuLevel } from './cpu-level.ts'
export { global, kfunc, map, newLabel, program, subprogram } from './definitions.ts'
export type {
  Global,
  GlobalOptions,
  GlobalPlace,
  Kfunc,
  UniqueLabel,
  MapDefinition,
  MapOptions,
  Program,
  Signature,
  Subprogram,
} from './definitions.ts'
export { helpers } from './helpers.ts'
export type { HelperFunction, Helpers } from './helpers.ts'
export type { FunctionBody, Immediate, InsnBuilder, InsnMethods, LabelReference } from './insn-builder.ts'
export * from './register.ts'
