import type { NamedNumber } from '@tsbpf/base'

/**
 * A named number of the kernel: one row of a table of this package.
 *
 * @example
 * ```ts
 * import { linkTypes, type KernelConstant } from '@tsbpf/uapi'
 * const row: KernelConstant | undefined = linkTypes.byName('tcx')
 * console.log(row?.kernel) // BPF_LINK_TYPE_TCX
 * ```
 */
export interface KernelConstant<Name extends string = string> extends NamedNumber {
  /** The kernel's name in lower case, without its prefix (`percpu_array`); where it has none, the name itself. */
  readonly name: Name
  readonly value: number
  /** The kernel's name: `BPF_MAP_TYPE_PERCPU_ARRAY`. */
  readonly kernel: string
  /** Set where no header or BTF that was read has it yet: the row comes from documentation. */
  readonly from?: 'documentation'
}
