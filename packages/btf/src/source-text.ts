import { limits } from './limits.ts'

/**
 * A name of an object as a literal of JavaScript. Names come from strangers: whatever is not a letter, digit or
 * underscore is escaped by its number, so no name can end the literal, and the code is ASCII.
 */
export function nameLiteral(name: string): string {
  let text = '"'
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    text += plainUnit(unit) ? name.charAt(i) : `\\u${unit.toString(16).padStart(4, '0')}`
  }
  return `${text}"`
}

function plainUnit(unit: number): boolean {
  const letter = unit | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
}

/** An integer as code: the only other thing of a type that gets into it. */
export function numberLiteral(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TooLarge()
  return value < 0 ? `(${value})` : String(value)
}

/** The code would be longer than is worth having. Never leaves the package. */
export class TooLarge extends Error {}

/** Code that takes `values`, which it refers to by number, and returns what it makes. */
export interface MadeSource {
  readonly source: string
  readonly values: readonly unknown[]
}

/** Code under construction: its functions, and what it refers to by number instead of by name. */
export interface SourceText {
  /** Counts one expression; throws {@link TooLarge} beyond the limit. */
  count(): void
  /** The name of a variable of the code that holds a value of ours. */
  refer(value: unknown): string
  /** The name of a function of the code for `key`, made on first use from what `body` gives. */
  routine(key: object, parameters: string, body: () => string): string
  /** The whole: `returned` is the expression for what it gives. */
  finish(returned: string): MadeSource
}

/** Starts a piece of code. */
export function sourceText(): SourceText {
  const values: unknown[] = []
  const variables = new Map<unknown, string>()
  const routines = new Map<object, string>()
  const bodies: string[] = []
  let expressions = 0
  return {
    count() {
      expressions++
      if (expressions > limits.compiledExpressions) throw new TooLarge()
    },
    refer(value) {
      let variable = variables.get(value)
      if (variable === undefined) {
        variable = `v${values.length}`
        values.push(value)
        variables.set(value, variable)
      }
      return variable
    },
    routine(key, parameters, body) {
      let name = routines.get(key)
      if (name === undefined) {
        name = `f${routines.size}`
        routines.set(key, name)
        bodies.push(`function ${name}(${parameters}) {\n${body()}\n}`)
      }
      return name
    },
    finish(returned) {
      const names = values.map((_, i) => `v${i}`).join(', ')
      const source = ['"use strict"', `const [${names}] = values`, ...bodies, `return ${returned}`].join('\n')
      return { source, values }
    },
  }
}
