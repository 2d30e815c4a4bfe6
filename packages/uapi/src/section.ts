import type { AttachTypeName, ProgTypeName } from './generated/bpf-tables.ts'

/**
 * What a program's section name says, for the names that match: one row of libbpf's table.
 *
 * @example
 * ```ts
 * import { sections, type Section } from '@tsbpf/uapi'
 * const sleepable: Section[] = sections.filter((section) => section.sleepable)
 * console.log(sleepable.some((section) => section.prefix === 'lsm.s')) // true
 * ```
 */
export interface Section {
  /** The name up to the text that says what to attach to, without a separator: `tracepoint`, `xdp.frags/devmap`. */
  readonly prefix: string
  /**
   * Which section names match. `exact`: the prefix alone. `optional` (libbpf writes `prefix+`): the prefix alone, or
   * with `/` and more, where the rest is what to attach to. `required` (libbpf writes `prefix/`): only with `/`.
   * `tracepoints/a/b` matches no row of the prefix `tracepoint`.
   */
  readonly match: 'exact' | 'optional' | 'required'
  /** Program type (`progTypes`). */
  readonly progType: ProgTypeName
  /** Expected attach type (`attachTypes`); `undefined` where the program is loaded with 0. */
  readonly attachType: AttachTypeName | undefined
  /** Loaded with `BPF_F_SLEEPABLE`. */
  readonly sleepable: boolean
  /** What to attach to is a type in the BTF of the kernel or of another program. */
  readonly attachBtf: boolean
  /** An old kernel that does not know the expected attach type gets 0 instead. */
  readonly expectedAttachOptional: boolean
  /** The attach type is one that `prog_attach` takes too. */
  readonly attachable: boolean
  /** Loaded with `BPF_F_XDP_HAS_FRAGS`. */
  readonly xdpFrags: boolean
  /** A USDT probe: loaded as an `uprobe_multi` where the kernel has them. */
  readonly usdt: boolean
  /** Flags of `prog_load` (`progFlags`) that the section name asks for. */
  readonly flags: number
  /** How libbpf attaches it on its own: the kind of attachment (`tp`, `kprobe`, `trace`); `undefined` where it does not. */
  readonly attach: string | undefined
  /** Set where the row is newer than the libbpf that was read: it comes from documentation. */
  readonly from?: 'documentation'
}
