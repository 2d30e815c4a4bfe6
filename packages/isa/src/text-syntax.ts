import { instructionSet } from './instruction-set.ts'
import type { Dialect } from './format.ts'
import type { TextSyntax } from './operand-readers.ts'
import { templateTree } from './template-tree.ts'
import type { TemplateNode } from './template-tree.ts'
import { llvmLastRegister } from './llvm-text.ts'

/** Registers have four bits. */
const lastRegister = 15

/** What each dialect leaves to its reader. */
export const textSyntax: Readonly<Record<Dialect, TextSyntax>> = {
  llvm: {
    comments: ['//', '#'],
    semicolons: true,
    lastRegister: llvmLastRegister,
    pc: false,
    bareSigns: false,
    optionalOffset: false,
    opcodes: false,
    annotations: true,
    exitLabel: false,
    rawInsns: false,
  },
  verifier: {
    comments: [';'],
    semicolons: false,
    lastRegister,
    pc: true,
    bareSigns: false,
    optionalOffset: false,
    opcodes: true,
    annotations: false,
    exitLabel: false,
    rawInsns: false,
  },
  gnu: {
    comments: [';', '#'],
    semicolons: false,
    lastRegister,
    pc: false,
    bareSigns: true,
    optionalOffset: false,
    opcodes: false,
    annotations: false,
    exitLabel: false,
    rawInsns: false,
  },
  conformance: {
    comments: ['#'],
    semicolons: false,
    lastRegister,
    pc: false,
    bareSigns: false,
    optionalOffset: true,
    opcodes: false,
    annotations: false,
    exitLabel: true,
    rawInsns: true,
  },
}

const trees = /* @__PURE__ */ new Map<Dialect, TemplateNode>()

/** The templates of a dialect, put together when they are first needed. */
export function templatesOf(dialect: Dialect): TemplateNode {
  let tree = trees.get(dialect)
  if (tree === undefined) {
    tree = templateTree(instructionSet, ({ text }) => [text[dialect], text.also?.[dialect]])
    trees.set(dialect, tree)
  }
  return tree
}
