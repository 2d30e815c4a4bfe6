/** A word, a number or a sign of a line of text. */
export interface Token {
  readonly text: string
  /** Characters before it in its line. */
  readonly at: number
}

/** Words may hold dots, as labels of compilers do; assignments and comparisons are one token. */
const tokenPattern = /[A-Za-z_.$][\w.$]*|\d\w*|(?:<<|>>|[-+*/%|&^=!<>])=|\S/gu

/** The tokens of a line, up to its comment. */
export function lexLine(line: string, comments: readonly string[]): readonly Token[] {
  const tokens: Token[] = []
  for (const match of line.matchAll(tokenPattern)) {
    if (comments.some((start) => line.startsWith(start, match.index))) break
    tokens.push({ text: match[0], at: match.index })
  }
  return tokens
}

/** True for what {@link lexLine} takes for a word. */
export const isWord = (token: Token | undefined): token is Token =>
  token !== undefined && /^[A-Za-z_.$]/.test(token.text)

/** Digits beyond which nothing is a number of 64 bits that anybody would write. */
const longestNumber = 64

/** The unsigned number that a token is: decimal, or hexadecimal after `0x`. */
export function numberOf(token: Token | undefined): bigint | undefined {
  if (token === undefined || token.text.length > longestNumber) return undefined
  return /^(?:0[xX][\da-fA-F]+|0|[1-9]\d*)$/.test(token.text) ? BigInt(token.text) : undefined
}
