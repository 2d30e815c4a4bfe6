/** Limits on what a text may ask for; each bounds time and memory. */
export const limits = {
  /** Characters of a text. */
  textLength: 256 << 20,
  /** Bytes of all sections that stand in the object. */
  objectSize: 256 << 20,
  /** Bytes of a section that does not (`.bss`): the largest value of an array map. */
  zeroSize: 0x7fff_ffff,
  /** Sections: numbers from 0xff00 on mean something else (System V gABI, `SHN_LORESERVE`); each may need a table of relocations. */
  sections: 0x7000,
  /** Parentheses in each other, and names set to names. */
  nesting: 64,
  /** Terms of one expression. */
  terms: 1024,
  /** Problems that are collected in a text before the rest of it is left unread. */
  problems: 100,
  /** Problems that a message shows. */
  shownProblems: 10,
  /** Letters of a name beyond which it is cut in messages, and no nearest name is looked for. */
  shownName: 64,
  /** Names beyond which no nearest name is looked for. */
  suggested: 1000,
} as const
