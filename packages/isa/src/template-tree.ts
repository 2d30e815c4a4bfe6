import type { InsnRow } from './insn-row.ts'
import type { OpName } from './instruction-set.ts'
import { operandReaders, registerReader } from './operand-readers.ts'
import type { OperandReader, OperandValue, RegisterKind, TextSyntax } from './operand-readers.ts'
import type { Token } from './text-lexer.ts'
import { lexLine } from './text-lexer.ts'
import type { Operand } from './text-template.ts'

/** An operand that was read, with the token where it stands. */
export interface BoundOperand {
  readonly operand: Operand
  readonly value: OperandValue
  readonly at: number
}

interface Branch {
  readonly operand: Operand
  readonly read: OperandReader
  readonly node: TemplateNode
}

/** Where all templates of a dialect stand that begin with the same tokens and operands. */
export interface TemplateNode {
  readonly literals: Map<string, TemplateNode>
  readonly branches: Map<string, Branch>
  /** Rows whose template ends here, in the order of the instruction set. */
  readonly rows: InsnRow<OpName>[]
}

const emptyNode = (): TemplateNode => ({ literals: new Map(), branches: new Map(), rows: [] })

const holePattern = /(r|w|\{r32\})?\{(dst|src)\}|\{(\w+)\}/g
const registerKinds: Readonly<Record<string, RegisterKind>> = {
  r: 'r',
  w: 'w',
  '{r32}': 'either',
  '': 'named',
}

function insert(root: TemplateNode, template: string, row: InsnRow<OpName>): void {
  let node = root
  let from = 0
  const literals = (text: string): void => {
    for (const token of lexLine(text, [])) {
      let next = node.literals.get(token.text)
      if (next === undefined) node.literals.set(token.text, (next = emptyNode()))
      node = next
    }
  }
  for (const hole of template.matchAll(holePattern)) {
    const [whole, prefix, register, name] = hole
    const operand = (register ?? name) as Operand
    literals(template.slice(from, hole.index))
    const kind = register === undefined ? undefined : registerKinds[prefix ?? '']
    const key = `${kind ?? ''} ${operand}`
    let branch = node.branches.get(key)
    if (branch === undefined) {
      const read =
        kind === undefined ? operandReaders[operand as keyof typeof operandReaders] : registerReader(kind)
      node.branches.set(key, (branch = { operand, read, node: emptyNode() }))
    }
    node = branch.node
    from = hole.index + whole.length
  }
  literals(template.slice(from))
  node.rows.push(row)
}

/** The templates of a dialect as a tree, so that a line is read once and not once for each row. */
export function templateTree(
  rows: readonly InsnRow<OpName>[],
  templatesOf: (row: InsnRow<OpName>) => readonly (string | undefined)[],
): TemplateNode {
  const root = emptyNode()
  for (const row of rows) {
    for (const template of templatesOf(row)) if (template !== undefined) insert(root, template, row)
  }
  return root
}

/** What was expected at the token that no template gets beyond. */
export interface Misfit {
  readonly at: number
  readonly expected: ReadonlySet<string>
  /** Those of `expected` that are words or signs to be written as they are. */
  readonly literals: ReadonlySet<string>
}

/** Makes a value of a row whose template fits, or says why its operands do not. */
export type Finish<T> = (
  row: InsnRow<OpName>,
  bound: readonly BoundOperand[],
) => { readonly value: T } | { readonly expected: string; readonly at: number }

/** Fits tokens from `start` to their end to the templates; the first row that takes the operands wins. */
export function fitTemplates<T>(
  root: TemplateNode,
  tokens: readonly Token[],
  start: number,
  syntax: TextSyntax,
  finish: Finish<T>,
): { readonly value: T } | Misfit {
  const misfit = { at: start, expected: new Set<string>(), literals: new Set<string>() }
  const bound: BoundOperand[] = []
  let best = 0
  /** Of misfits the furthest count, and of those the closest. */
  const miss = (score: number, at: number, expected: string, literal = false): void => {
    if (score < best) return
    if (score > best) {
      best = score
      misfit.at = at
      misfit.expected.clear()
      misfit.literals.clear()
    }
    misfit.expected.add(expected)
    if (literal) misfit.literals.add(expected)
  }
  /** At most as deep as the longest template. */
  const walk = (node: TemplateNode, at: number): { readonly value: T } | undefined => {
    if (at === tokens.length) {
      for (const row of node.rows) {
        const done = finish(row, bound)
        if ('value' in done) return done
        miss(Infinity, done.at, done.expected)
      }
    } else if (node.rows.length > 0) miss(2 * at, at, 'the end of the instruction')
    const literal = node.literals.get(tokens[at]?.text ?? '')
    if (literal !== undefined) {
      const found = walk(literal, at + 1)
      if (found !== undefined) return found
    } else for (const text of node.literals.keys()) miss(2 * at, at, text, true)
    for (const { operand, read, node: next } of node.branches.values()) {
      const result = read(tokens, at, syntax)
      if ('expected' in result) {
        miss(2 * result.at + (result.close === true ? 1 : 0), result.at, result.expected)
        continue
      }
      bound.push({ operand, value: result.value, at })
      const found = walk(next, result.next)
      if (found !== undefined) return found
      bound.pop()
    }
    return undefined
  }
  return walk(root, start) ?? misfit
}
