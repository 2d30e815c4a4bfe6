import { shownLineLength } from './limits.ts'

/** Why a place of a text is not what it should be. */
export interface TextProblem {
  /** From 1. */
  readonly line: number
  /** In UTF-16 units, from 1. */
  readonly column: number
  readonly expected: string
  readonly actual: string
  /** What was probably meant. */
  readonly suggestion: string | undefined
  /** The line as it was given. */
  readonly source: string
}

/** The problem, its line, and a caret below the place. */
export function describeProblem(path: string, problem: TextProblem): string {
  const { line, column, expected, actual, suggestion, source } = problem
  const from = column > shownLineLength ? column - shownLineLength / 2 : 0
  // Tabs stay, so that the caret stands where the terminal puts the character.
  const shown = source.slice(from, from + shownLineLength)
  const pad = source.slice(from, column - 1).replace(/[^\t]/g, ' ')
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
  return `${path}:${line}:${column}: expected ${expected}, got ${actual}${meant}\n  ${shown}\n  ${pad}^`
}
