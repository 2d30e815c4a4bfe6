/** What a map is: what {@link createMap} asks the kernel for. A `MapSpec` of `@tsbpf/object` is one. */
export interface MapShape {
  /** Name in errors and lookups; may be longer than the kernel's. */
  readonly name: string
  /** Name for the kernel: at most 15 bytes. */
  readonly kernelName: string
  /** Kernel spelling in lower case: `percpu_array`. */
  readonly type: string
  readonly typeValue: number
  /** Bytes. */
  readonly keySize: number
  /** Bytes; of one processor's value in a per-CPU map. */
  readonly valueSize: number
  readonly maxEntries: number
  /** `BPF_F_*` (`mapFlags` of `@tsbpf/uapi`). */
  readonly flags: number
}
