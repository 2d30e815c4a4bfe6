import { parseElf } from '@tsbpf/elf'

/** Names of all symbols of the file that the page was given. */
export const symbolNames = (bytes: Uint8Array): readonly string[] =>
  parseElf(bytes).symbols.map((symbol) => symbol.name)
