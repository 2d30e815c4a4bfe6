import type { Insn } from '@tsbpf/isa'
import type { GlobalPlace, Kfunc, UniqueLabel, MapDefinition, Program, Subprogram } from './definitions.ts'
import type { Trace } from './call-site.ts'

/** What an instruction stands for until a loader, or linking, knows numbers. */
export type Reference = MapDefinition | GlobalPlace | Subprogram | Kfunc

/** A label's place, or an instruction as it was called for. */
export type CodeItem = { readonly trace: Trace } & (
  | { readonly kind: 'label'; readonly label: string | UniqueLabel }
  | {
      readonly kind: 'insn'
      /** A jump's distance is 0 until labels have places. */
      readonly insn: Insn
      readonly label: string | UniqueLabel | undefined
      readonly reference: Reference | undefined
      /** The call as text: `mov(r0, 1)`. */
      readonly operation: () => string
    }
)

/** A program or subprogram with what its body has added. */
export interface FunctionCode {
  readonly definition: Program | Subprogram
  readonly items: readonly CodeItem[]
}

/** The name of a label, for messages. */
export const labelName = (label: string | UniqueLabel): string =>
  typeof label === 'string' ? label : label.name
