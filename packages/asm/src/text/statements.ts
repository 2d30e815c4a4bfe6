import type { Dialect } from '@tsbpf/isa'

/** One statement of a text: a directive or an instruction, without labels before it and comments behind. */
export interface Statement {
  /** From 1. */
  readonly line: number
  /** The whole line. */
  readonly source: string
  /** Characters of the line before `text`. */
  readonly at: number
  readonly text: string
}

/** How a dialect separates and comments; see isa's `textSyntax` for what it does within an instruction. */
const lineSyntax: Readonly<
  Record<Dialect, { readonly comments: readonly string[]; readonly semicolons: boolean }>
> = {
  llvm: { comments: ['//', '#'], semicolons: true },
  verifier: { comments: [';', '//'], semicolons: false },
  gnu: { comments: [';', '#'], semicolons: false },
  conformance: { comments: ['#', '//'], semicolons: false },
}

/** A string, what may start a comment, or what may end a statement. */
const interesting = /"(?:[^"\\]|\\.)*"?|\/\*|\/\/|[#;]/g

/** Cuts a text into statements; comments in `/*` may run over lines. Linear in the length of the text. */
export function* statements(text: string, dialect: Dialect): Generator<Statement, void, undefined> {
  const { comments, semicolons } = lineSyntax[dialect]
  let line = 0
  let inComment: Statement | undefined
  for (const source of text.split(/\r?\n/)) {
    line++
    let from = 0
    let blanked = ''
    let end = source.length
    let blankedTo = 0
    const blank = (until: number, to: number): void => {
      blanked += source.slice(blankedTo, until) + ' '.repeat(to - until)
      blankedTo = to
    }
    if (inComment !== undefined) {
      const close = source.indexOf('*/')
      if (close < 0) continue
      inComment = undefined
      blank(0, close + 2)
    }
    const ends: number[] = []
    interesting.lastIndex = blankedTo
    for (let match = interesting.exec(source); match !== null; match = interesting.exec(source)) {
      const [found] = match
      if (found === '/*') {
        const close = source.indexOf('*/', match.index + 2)
        const to = close < 0 ? source.length : close + 2
        if (close < 0) inComment = { line, source, at: match.index, text: '/* without an end' }
        blank(match.index, to)
        interesting.lastIndex = to
      } else if (comments.includes(found)) {
        end = match.index
        break
      } else if (semicolons && found === ';') ends.push(match.index)
    }
    const clean = blankedTo === 0 ? source : blanked + source.slice(blankedTo)
    for (const to of [...ends, end]) {
      const part = clean.slice(from, to)
      const trimmed = part.trimStart()
      const statement = trimmed.trimEnd()
      if (statement !== '') yield { line, source, at: from + part.length - trimmed.length, text: statement }
      from = to + 1
    }
  }
  if (inComment !== undefined) yield inComment
}
