/** Limits on what BTF may ask for; each bounds time and memory by the size of the data. */
export const limits = {
  /**
   * Typedefs, modifiers and arrays between a type and what is behind them. The kernel and libbpf allow 32
   * (`MAX_RESOLVE_DEPTH`).
   */
  resolveSteps: 64,
  /**
   * Strings may add up to this many times their section (and never less than 64 KiB): offsets into the middle of a
   * string are legal, but a section in which every name is a tail of one long string is an attack.
   */
  stringOverlap: 16,
  /** Types that one C spelling may name, parameters of parameters included, before the rest is left out. */
  spelledTypes: 256,
  /** Structs within structs and arrays within arrays of one value. */
  valueDepth: 64,
  /**
   * Values that decoding one value may make, beyond 16 for each of its bytes: real types make fewer than one for each
   * byte, but arrays of empty structs and unions of unions can make billions out of nothing.
   */
  valuesOfNothing: 65_536,
  /** Values that one encoding may write only to see whether the members of its unions agree. */
  unionComparisons: 1 << 20,
  /** Expressions of the longest code that a codec is compiled to; a larger type is interpreted. */
  compiledExpressions: 4096,
  /**
   * Values that a codec decodes, or encodes, before it is compiled: about as many as are interpreted in the time that
   * compiling takes, 0.1 ms for ten members and half a millisecond for the first type of a process.
   */
  usesBeforeCompiling: 200,
  /** Bytes of the largest value that is encoded into memory of its own. */
  valueSize: 1 << 30,
  /**
   * Comparisons that deduplication may make: these, and so many for each word of the types. Two kernels merged take 20
   * for each word, four take 40.
   */
  dedupSteps: 1 << 24,
  dedupStepsPerWord: 256,
  /** Characters that a printer may make for each byte of the types, and always; a kernel's dumps make up to 5. */
  printedTimes: 64,
  printedLeast: 1 << 22,
  /** Steps through types that ordering them for C may take for each type, and always; a kernel takes 4. */
  printedSteps: 64,
  printedStepsLeast: 1 << 20,
  /** Anonymous structs, unions and parameter lists within each other in one C declaration. */
  declaredDepth: 128,
} as const
