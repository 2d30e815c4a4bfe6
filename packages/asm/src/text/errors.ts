import { defineErrors } from '@tsbpf/base'
import { describeProblem } from '@tsbpf/isa'
import type { TextProblem } from '@tsbpf/isa'
import { limits } from './limits.ts'

/** Errors of assembling a text, by code. */
export const errors = defineErrors({
  /** Text that cannot be assembled; `problems` has every place. */
  ASM_TEXT: {
    message: (c: {
      readonly path: string
      readonly dialect: string
      readonly problems: readonly TextProblem[]
    }) => {
      const more = c.problems.length - limits.shownProblems
      return [
        ...c.problems.slice(0, limits.shownProblems).map((problem) => describeProblem(c.path, problem)),
        ...(more > 0 ? [`and ${more} more`] : []),
      ].join('\n')
    },
    hint: (c: { readonly dialect: string; readonly problems: readonly TextProblem[] }) => {
      const near = c.problems.find((problem) => problem.suggestion !== undefined)
      return near === undefined
        ? `the text was read as dialect ${c.dialect}; the README of @tsbpf/asm lists the directives`
        : `line ${near.line}: did you mean ${near.suggestion}?`
    },
  },
  /** A text that is longer than what is read. */
  ASM_TEXT_LENGTH: {
    message: (c: { readonly path: string; readonly length: number; readonly limit: number }) =>
      `${c.path} has ${c.length} characters, more than the ${c.limit} that are read`,
    hint: 'split it into several files',
  },
  /** Raw instructions were asked for, and the text holds more or less than that. */
  ASM_RAW: {
    message: (c: { readonly path: string; readonly expected: string; readonly actual: string }) =>
      `${c.path}: expected ${c.expected}, got ${c.actual}`,
    hint: 'raw instructions have one section and no references to maps or externs: write an object instead',
  },
})
