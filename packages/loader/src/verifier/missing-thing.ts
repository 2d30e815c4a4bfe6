import { poisonImm } from '@tsbpf/core-reloc'
import type { CoreResult } from '@tsbpf/core-reloc'
import { helperNames } from '@tsbpf/uapi/helpers'
import { rows } from '../errors.ts'
import { missingKfunc } from '../resolve-references.ts'
import type { VerifierLog } from './parse-log.ts'
import type { Refusal } from './verifier-error.ts'

/** Something that the program wants of this kernel and the kernel has not. */
export interface MissingThing {
  readonly code: 'LOADER_POISONED' | 'LOADER_NO_HELPER' | 'LOADER_NO_KFUNC'
  readonly headline: string
  readonly name: string
  readonly hint: string | undefined
  /** The relocation that has no value. */
  readonly relocation?: CoreResult
}

/** `unknown#195896080`, `bpf_redirect#23`: what the kernel does not know or allow. */
const refusedCall = /(?:invalid func|unknown func|program of this type cannot use helper) (\w+)#(\d+)/

/** Recognises calls of what is not there: a poisoned CO-RE relocation, a missing weak kfunc, a missing helper. */
export function missingThing(
  { linked, relocations, type = 'unknown' }: Refusal,
  details: VerifierLog,
  fn: { readonly name: string; readonly insn: number } | undefined,
): MissingThing | undefined {
  const [said, name = '', digits] = refusedCall.exec(details.message) ?? []
  if (said === undefined) return undefined
  const called = Number(digits)
  const program = linked.name
  if (called === poisonImm) {
    const poisoned = poisonedAt(relocations, fn)
    if (poisoned === undefined) return undefined
    const relocation = `<${poisoned.kind}> ${poisoned.accessText}`
    const { message, hint } = rows.LOADER_POISONED
    const headline = message({ program, relocation, place: '' })
    return { code: 'LOADER_POISONED', headline, name: poisoned.accessText, hint, relocation: poisoned }
  }
  if (called >= missingKfunc) {
    const ref = linked.relocations.find(({ insn }) => insn === details.insn)?.ref
    const kfunc = ref?.kind === 'extern' ? ref.name : `#${called - missingKfunc}`
    const { message, hint } = rows.LOADER_NO_KFUNC
    return { code: 'LOADER_NO_KFUNC', headline: message({ program, kfunc, place: '' }), name: kfunc, hint }
  }
  // A kernel has no name for a helper that is newer than it.
  const known = name === 'unknown' ? helperNames.byValue(called)?.name : undefined
  const helper = known === undefined ? `${name}#${called}` : `bpf_${known}#${called}`
  const newer = said.startsWith('invalid func')
  const headline = rows.LOADER_NO_HELPER.message({ program, type, helper, newer, place: '' })
  return { code: 'LOADER_NO_HELPER', headline, name: helper, hint: undefined }
}

function poisonedAt(
  relocations: readonly CoreResult[],
  fn: { readonly name: string; readonly insn: number } | undefined,
): CoreResult | undefined {
  const poisoned = relocations.filter(({ status }) => status === 'poisoned')
  if (fn === undefined) return poisoned[0]
  // A wide instruction is poisoned in both of its slots.
  return (
    poisoned.find((one) => one.program === fn.name && (one.insn === fn.insn || one.insn === fn.insn - 1)) ??
    poisoned[0]
  )
}
