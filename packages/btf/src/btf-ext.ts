import type { TypeId } from '@tsbpf/base'

/** Which function starts where; `offset` counts bytes from the start of the section. */
export interface BtfFuncInfo {
  readonly offset: number
  /** Id of a FUNC. */
  readonly type: TypeId
}

/** Which source line an instruction comes from; `offset` counts bytes from the start of the section. */
export interface BtfLineInfo {
  readonly offset: number
  readonly file: string
  readonly line: number
  readonly column: number
  /** Text of the line, without the space around it. */
  readonly text: string
  /** Offsets of `file` and `text` in the string section, for splicing the record into a kernel load. */
  readonly fileOffset: number
  readonly textOffset: number
}

/** One CO-RE relocation; `offset` counts bytes from the start of the section. */
export interface BtfCoreRelocation {
  readonly offset: number
  readonly type: TypeId
  /** Accessor string: `0:1:2`. */
  readonly access: string
  /** Number of the kind: 0 `byte_off` to 12 `type_matches` (enum bpf_core_relo_kind). */
  readonly kind: number
}

/** What `.BTF.ext` says about one section of code. */
export interface BtfExtSection {
  readonly name: string
  readonly funcInfo: readonly BtfFuncInfo[]
  readonly lineInfo: readonly BtfLineInfo[]
  readonly coreRelocations: readonly BtfCoreRelocation[]
}

/** A parsed `.BTF.ext`, by section name. */
export type BtfExt = ReadonlyMap<string, BtfExtSection>
