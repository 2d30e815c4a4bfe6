/** Bounds that keep any input cheap; those of accesses and types are libbpf's (tools/lib/bpf/relo_core.c). */
export const limits = {
  /** Elements of an access, anonymous members included. */
  accessLength: 64,
  /** Characters of an accessor string: numbers of 31 bits have ten digits at most. */
  accessText: 64 * 11,
  /** Pointers and arrays that a comparison of two types follows in a row. */
  typeChain: 32,
  /** Functions and structs that a comparison of two types enters. */
  typeDepth: 32,
  /**
   * Members, enumerators, types and candidates that one call looks at, so that it ends within a second or so whatever
   * the BTF is; 200 relocations to a whole kernel take some 15 000.
   */
  steps: 2_000_000,
  /** Steps that one relocation costs, whatever it asks for: a call decides some 45 000 at most. */
  relocationSteps: 20,
  /** Steps that one candidate costs, because each is explained. */
  candidateSteps: 20,
  /** Candidates that an error message names; its context has all. */
  namedCandidates: 5,
  /** Bits: an offset of libbpf is an unsigned 32-bit number. */
  bitOffset: 0xffff_ffff,
} as const
