import { helpers as helperTable } from '@tsbpf/uapi/helpers'
import type { HelperName } from '@tsbpf/uapi/helpers'
import type { CoreHelpers } from './helpers-core.ts'
import type { NetworkHelpers } from './helpers-network.ts'

/** A helper function of the kernel, as `b.call` takes it. */
export interface HelperFunction {
  readonly kind: 'helper'
  /** Without `bpf_`. */
  readonly name: string
  /** Number in a call instruction. */
  readonly id: number
}

/** Every helper, with what it takes in `r1` to `r5` and gives in `r0`, for an editor to show. */
export interface Helpers extends CoreHelpers, NetworkHelpers {}

/**
 * The kernel's helper functions by name, without `bpf_`. Their table joins a bundle only where this is imported; a call
 * takes a helper's number too. Minimum kernel: each helper's own; which programs may call it is for the verifier to say.
 *
 * @example
 * ```ts
 * import { buildInsns, helpers } from '@tsbpf/asm'
 * const insns = buildInsns((b) => b.call(helpers.get_smp_processor_id).exit())
 * ```
 */
export const helpers: Helpers = /* @__PURE__ */ byName()

function byName(): Record<Exclude<HelperName, 'unspec'>, HelperFunction> {
  const rows = helperTable.rows.map(({ name, value }) => [name, { kind: 'helper', name, id: value }] as const)
  return Object.fromEntries(rows.slice(1)) as Record<Exclude<HelperName, 'unspec'>, HelperFunction>
}
