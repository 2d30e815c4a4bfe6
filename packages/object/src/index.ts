export { declTags } from './decl-tags.ts'
export type { DeclTag } from './decl-tags.ts'
export { encodeObject } from './encode/encode-object.ts'
export type { ObjectFailure } from './errors.ts'
export { coreKinds } from './core-kinds.ts'
export type { CoreKind, CoreKindGroup, CoreKindName } from './core-kinds.ts'
export { layoutKconfig } from './externs.ts'
export type { KconfigLayout, KconfigSlot } from './externs.ts'
export { loadableBtf } from './hidden-functions.ts'
export { linkObjects } from './link/link-objects.ts'
export type { LinkObjectsOptions } from './link/link-objects.ts'
export { linkSubprograms } from './link-subprograms.ts'
export type { LinkedFunction, LinkedProgram } from './link-subprograms.ts'
export { kernelDataName, kernelMapName } from './map-name.ts'
export type {
  CoreRelocation,
  ExternSpec,
  FunctionSpec,
  InsnReference,
  InsnRelocation,
  LineInfo,
  MapSpec,
  ObjectSpec,
  ProgramSpec,
  StructOpsSpec,
  VariableSpec,
} from './object-spec.ts'
export { parseObject } from './parse-object.ts'
export type { ParseObjectOptions } from './parse-object.ts'
export { parseSectionName } from './section-name.ts'
export type { ProgramSection } from './section-name.ts'
export { encodeVariable, readVariable, setVariables } from './variables.ts'
