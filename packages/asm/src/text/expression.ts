import { faultAt, name, numberOf, peek, take, TextFault } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { nearestName, symbolOf } from './assembly.ts'
import type { AsmSection, Assembly, AsmSymbol } from './assembly.ts'
import { limits } from './limits.ts'
import type { Statement } from './statements.ts'

/** A place of a section, such as `.`. */
interface Here {
  readonly section: AsmSection
  readonly offset: number
}

/** A sum of numbers, symbols and places, each with its sign. */
export interface Expression {
  readonly constant: bigint
  readonly terms: readonly { readonly symbol: AsmSymbol | Here; readonly negative: boolean }[]
}

/** What an expression comes to: a number, or a distance from a symbol or the start of a section. */
export type Value =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly symbol: AsmSymbol; readonly addend: bigint }
  | { readonly kind: 'place'; readonly section: AsmSection; readonly offset: bigint }

/** An expression that is one symbol. */
export const symbolExpression = (symbol: AsmSymbol, constant = 0n): Expression => ({
  constant,
  terms: [{ symbol, negative: false }],
})

/** Name of a numeric label (`1f`, `1b`) of the text, by how often it has been defined so far. */
export function numericName(assembly: Assembly, digits: string, direction: string): string {
  const count = assembly.numeric.get(digits) ?? 0
  return ` ${digits}#${direction === 'f' ? count + 1 : count}`
}

/** Takes an expression: terms with `+` and `-` between them, and parentheses. */
export function expression(assembly: Assembly, args: Arguments, place: Statement): Expression {
  const terms: { symbol: AsmSymbol | Here; negative: boolean }[] = []
  let constant = 0n
  const sum = (negative: boolean, depth: number): void => {
    if (depth > limits.nesting) throw faultAt(args, `at most ${limits.nesting} parentheses in each other`)
    for (let sign = negative, first = true; ; first = false) {
      if (!first) {
        if (take(args, '+')) sign = negative
        else if (take(args, '-')) sign = !negative
        else return
      }
      while (peek(args) === '-' || peek(args) === '+')
        if (peek(args) === '-' ? take(args, '-') : !take(args, '+')) sign = !sign
      if (take(args, '(')) {
        sum(sign, depth + 1)
        if (!take(args, ')')) throw faultAt(args, ')')
        continue
      }
      const text = peek(args)
      const number = numberOf(text)
      if (number !== undefined) {
        constant += sign ? -number : number
        args.next++
        continue
      }
      if (terms.length === limits.terms) throw faultAt(args, `at most ${limits.terms} names`)
      const numeric = /^(\d+)([fb])$/.exec(text ?? '')
      const { at } = args.tokens[args.next] ?? { at: args.end }
      if (text === '.') {
        args.next++
        terms.push({ symbol: { section: assembly.section, offset: assembly.section.size }, negative: sign })
      } else if (numeric !== null) {
        args.next++
        const symbol = symbolOf(
          assembly,
          numericName(assembly, numeric[1] ?? '', numeric[2] ?? ''),
          place,
          at,
        )
        terms.push({ symbol, negative: sign })
      } else {
        terms.push({
          symbol: symbolOf(assembly, name(args, 'a number or a name'), place, at),
          negative: sign,
        })
      }
    }
  }
  sum(false, 0)
  return { constant, terms }
}

/** What an expression comes to, now that symbols are known; a fault at `at` for what is no one place. */
export function evaluate(assembly: Assembly, value: Expression, at: number): Value {
  let { constant } = value
  const places = new Map<AsmSection, number>()
  const unknown = new Map<AsmSymbol, number>()
  let budget: number = limits.terms
  const add = (terms: Expression['terms'], sign: 1 | -1, depth: number): void => {
    for (const { symbol, negative } of terms) {
      const by = negative ? -sign : sign
      if (--budget < 0 || depth > limits.nesting)
        throw new TextFault(at, 'a name that is not set to itself', 'too much')
      if ('value' in symbol && symbol.value !== undefined) {
        constant += BigInt(by) * symbol.value.constant
        add(symbol.value.terms, by === 1 ? 1 : -1, depth + 1)
      } else if (symbol.section !== undefined) {
        constant += BigInt(by) * BigInt(symbol.offset)
        places.set(symbol.section, (places.get(symbol.section) ?? 0) + by)
      } else if ('name' in symbol) unknown.set(symbol, (unknown.get(symbol) ?? 0) + by)
    }
  }
  add(value.terms, 1, 0)
  const sections = [...places].filter(([, count]) => count !== 0)
  const names = [...unknown].filter(([, count]) => count !== 0)
  const [section] = sections
  const [symbol] = names
  if (section === undefined && symbol === undefined) return { kind: 'number', value: constant }
  if (names.length === 0 && sections.length === 1 && section?.[1] === 1) {
    // A single label stays one: a reference to it may be relocated by its name.
    const [only] = value.terms
    const named =
      value.terms.length === 1 && only !== undefined && 'name' in only.symbol ? only.symbol : undefined
    return named === undefined || named.value !== undefined
      ? { kind: 'place', section: section[0], offset: constant }
      : { kind: 'symbol', symbol: named, addend: value.constant }
  }
  if (sections.length === 0 && names.length === 1 && symbol?.[1] === 1) {
    return { kind: 'symbol', symbol: symbol[0], addend: constant }
  }
  const missing = symbol?.[0].name
  const actual =
    missing === undefined ? 'names of several sections' : JSON.stringify(missing.slice(0, limits.shownName))
  const near = missing === undefined ? undefined : nearestName(missing, definedNames(assembly))
  throw new TextFault(at, 'a number, or the distance of names of one section', actual, near)
}

/** Names that stand for something. */
export function* definedNames(assembly: Assembly): Generator<string, void, undefined> {
  for (const { name: known, section, value, extern } of assembly.symbols.values()) {
    if (section !== undefined || value !== undefined || extern) yield known
  }
}
