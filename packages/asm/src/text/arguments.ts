/** A word, a number, a string or a sign of a directive. */
interface Token {
  readonly text: string
  /** Characters before it in its line. */
  readonly at: number
}

/** A place of a statement that is not what it has to be; it ends the statement and is then reported. */
export class TextFault extends Error {
  override readonly name = 'TextFault'
  /** Characters before it in its line. */
  readonly at: number
  readonly expected: string
  readonly actual: string
  readonly suggestion: string | undefined

  constructor(at: number, expected: string, actual: string, suggestion?: string) {
    super(expected)
    this.at = at
    this.expected = expected
    this.actual = actual
    this.suggestion = suggestion
  }
}

/** A string that is not closed runs to the end, so that nothing is looked at twice. */
const tokenPattern = /"(?:[^"\\]|\\.?)*(?:"|$)|[@%]?[A-Za-z_.$][\w.$]*|\d[\w]*|\S/gu
const namePattern = /^[A-Za-z_.$]/

/** The arguments of a directive, read from left to right. */
export interface Arguments {
  readonly tokens: readonly Token[]
  /** Characters of the line up to the end of the statement. */
  readonly end: number
  next: number
}

/** Cuts the arguments of a directive into tokens; `at` is where they start in the line. */
export function argumentsOf(text: string, at: number): Arguments {
  const tokens: Token[] = []
  for (const match of text.matchAll(tokenPattern)) tokens.push({ text: match[0], at: at + match.index })
  return { tokens, end: at + text.length, next: 0 }
}

/** The next token, which is not taken. */
export const peek = (args: Arguments): string | undefined => args.tokens[args.next]?.text

/** A fault at the next token. */
export function faultAt(
  args: Arguments,
  expected: string,
  index = args.next,
  suggestion?: string,
): TextFault {
  const token = args.tokens[index]
  return new TextFault(
    token?.at ?? args.end,
    expected,
    token === undefined ? 'the end' : quoted(token.text),
    suggestion,
  )
}

/** Takes the next token where it is this one. */
export function take(args: Arguments, text: string): boolean {
  if (peek(args) !== text) return false
  args.next++
  return true
}

/** Takes the comma that has to follow. */
export function comma(args: Arguments): void {
  if (!take(args, ',')) throw faultAt(args, 'a comma')
}

/** Nothing may follow. */
export function finish(args: Arguments): void {
  if (args.next < args.tokens.length) throw faultAt(args, 'the end of the directive')
}

/** A text as messages show it. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)

/** Takes a name: a word, or any characters in quotes. */
export function name(args: Arguments, what: string): string {
  const text = peek(args)
  if (text === undefined) throw faultAt(args, what)
  if (text.startsWith('"')) {
    const bytes = stringBytes(args, what)
    return new TextDecoder().decode(bytes)
  }
  if (!namePattern.test(text)) throw faultAt(args, what)
  args.next++
  return text
}

const escapes: Readonly<Record<string, number>> = { b: 8, f: 12, n: 10, r: 13, t: 9, '"': 34, '\\': 92 }
const utf8 = new TextEncoder()

/** Takes a string in quotes as its bytes: UTF-8, with `\n`, `\t`, `\"`, `\\`, octal `\101` and `\x41`. */
export function stringBytes(args: Arguments, what = 'a string in quotes'): Uint8Array {
  const token = args.tokens[args.next]
  if (token === undefined || !/^"(?:[^"\\]|\\.)*"$/su.test(token.text)) throw faultAt(args, what)
  args.next++
  const inner = token.text.slice(1, -1)
  if (!inner.includes('\\')) return utf8.encode(inner)
  const bytes: number[] = []
  for (const match of inner.matchAll(/\\([0-7]{1,3}|x[\da-fA-F]{1,2}|.)|[^\\]+/gsu)) {
    const [whole, escape] = match
    if (escape === undefined) {
      for (const byte of utf8.encode(whole)) bytes.push(byte)
      continue
    }
    const value = /^[0-7]/.test(escape)
      ? Number.parseInt(escape, 8)
      : /^x./.test(escape)
        ? Number.parseInt(escape.slice(1), 16)
        : escapes[escape]
    if (value === undefined || value > 0xff) {
      throw new TextFault(token.at + 1 + match.index, 'an escape such as \\n, \\x41 or \\101', quoted(whole))
    }
    bytes.push(value)
  }
  return Uint8Array.from(bytes)
}

/** The unsigned number that a text is: decimal, hexadecimal after `0x`, octal after `0`, binary after `0b`. */
export function numberOf(text: string | undefined): bigint | undefined {
  if (text === undefined || text.length > 66) return undefined
  if (/^0[xX][\da-fA-F]+$|^0[bB][01]+$|^[1-9]\d*$|^0$/.test(text)) return BigInt(text)
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : undefined
}
