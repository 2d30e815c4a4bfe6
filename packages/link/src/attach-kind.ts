import type { Sys } from '@tsbpf/sys'
import type { AttachOptions, SectionProgram } from './attach-options.ts'
import type { Link } from './link.ts'

/** One kind of attachment. */
export interface AttachKind {
  readonly kind: string
  /** Program types, in the kernel's spelling. */
  readonly types: readonly string[]
  /** Attach types; `undefined` where the program type has none. */
  readonly attachTypes: readonly (string | undefined)[]
  /** What the section name starts with, where types do not tell kinds apart. */
  readonly prefixes?: readonly string[]
  readonly sinceKernel: string
  /** The attachment is gone when the process ends, however it ends. */
  readonly endsWithProcess: boolean
  /** The target was fixed when the program was loaded. */
  readonly targetAtLoad: boolean
  /** A section name with a target is enough to attach, and makes nothing but the kernel look at the target. */
  readonly byItself: boolean
  /** What a target looks like; what to give instead, where it is no text. */
  readonly targetShape: string
  attach(sys: Sys, program: SectionProgram, target: string, options: AttachOptions): Link
}
