import type { CapabilityName } from '@tsbpf/sys'
import { accessMessages } from './messages-access.ts'
import { callMessages } from './messages-call.ts'
import { structureMessages } from './messages-structure.ts'

/** What a message of the verifier means. */
export interface VerifierMessage {
  /** Permanent name: `null-check`. */
  readonly id: string
  /** The message as kernel 6.18 spells it, with numbers and names of an example. */
  readonly message: string
  /** Finds the message in what a log says at its end, of every kernel from 6.1 on. */
  readonly pattern: RegExp
  /** What the kernel means by it, in a sentence or two. */
  readonly meaning: string
  /** What to do about it; it becomes the hint of the error. */
  readonly fix: string
  /** Capabilities with which the kernel lets the same program pass, or has more to offer it; none unless given. */
  readonly relaxedBy?: readonly CapabilityName[]
}

/**
 * The messages that programs meet most often, in the order in which they are tried: kernel/bpf/verifier.c has some six
 * hundred. A program for each, and a mended twin, are in test/kernel/verifier.
 */
export const verifierMessages: readonly VerifierMessage[] = [
  ...accessMessages,
  ...callMessages,
  ...structureMessages,
]

/**
 * What the message at the end of a verifier log means, and what to do; `undefined` for a message that the table does not
 * know.
 *
 * @example
 * ```ts
 * import { explainMessage } from '@tsbpf/loader'
 * console.log(explainMessage("R0 invalid mem access 'map_value_or_null'")?.fix)
 * ```
 */
export function explainMessage(message: string): VerifierMessage | undefined {
  return verifierMessages.find(({ pattern }) => pattern.test(message))
}
