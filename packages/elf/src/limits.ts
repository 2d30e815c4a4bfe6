/** Limits on what a file may ask for; each bounds time and memory by the size of the file. */
export const limits = {
  /**
   * Names of one string table may add up to this many times its size (and never less than 4096 bytes): linkers share
   * the tails of names, but a table in which every name is a tail of one long string is an attack.
   */
  stringOverlap: 16,
  /** Notes read may add up to this many times the file: segments of notes may overlap, in theory. */
  noteOverlap: 4,
  /** Bytes that a compressed section may decompress to, unless the caller allows more. */
  contentSize: 2 ** 30,
  /** Largest alignment of a section that is written: each may cost as much padding. */
  alignment: 65_536,
} as const
