/** Limits on what an object may ask for; each bounds time and memory. */
export const limits = {
  /** Bytes of a data section: the largest value of an array map (kernel/bpf/arraymap.c, `array_map_alloc_check`). */
  dataSize: 0x7fff_ffff,
  /** Fields of a map's definition; there are eleven that mean something, and none may stand twice. */
  mapFields: 32,
  /**
   * Code of all sections may add up to this many times the file: real sections do not overlap, but many headers that
   * mean the same bytes would make each reader of code do the work as many times.
   */
  codeOverlap: 1,
  /** Instructions of one program (include/linux/bpf.h, `BPF_COMPLEXITY_LIMIT_INSNS`). */
  programInsns: 1_000_000,
} as const
