import type { KernelConstant } from './kernel-constant.ts'

/** A parameter of a helper; varargs are `...` in both. */
export interface HelperParam {
  readonly name: string
  /** C type: `struct bpf_map *`. */
  readonly type: string
}

/**
 * A helper function: its number in a call instruction and its prototype. One with a prototype for each context has
 * the first that the header declares.
 *
 * @example
 * ```ts
 * import { helpers, type Helper } from '@tsbpf/uapi/helpers'
 * const helper: Helper | undefined = helpers.byValue(5)
 * console.log(helper?.kernel, helper?.returns) // BPF_FUNC_ktime_get_ns u64
 * ```
 */
export interface Helper<Name extends string = string> extends KernelConstant<Name> {
  /** C type of the result: `void *`. */
  readonly returns: string
  readonly params: readonly HelperParam[]
}
