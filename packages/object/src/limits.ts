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
  /** Bytes of nothing in front of a function, when an object is written. */
  codeGap: 8_000_000,
  /** Initial entries of one map, and bytes of all declarations of maps, when an object is written. */
  mapValues: 1 << 20,
  mapsSize: 1 << 26,
  /** Pairs of types compared for one name that objects of a static link share. */
  comparedTypes: 100_000,
  /** Instructions of one program (include/linux/bpf.h, `BPF_COMPLEXITY_LIMIT_INSNS`). */
  programInsns: 1_000_000,
} as const
