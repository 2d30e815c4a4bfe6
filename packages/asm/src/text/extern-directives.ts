import { comma, faultAt, finish, name, peek, quoted, take, TextFault } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { symbolOf } from './assembly.ts'
import type { Assembly } from './assembly.ts'
import type { Statement } from './statements.ts'

/** A type of C as a prototype writes it. */
export interface CType {
  readonly kind: 'void' | 'int' | 'struct' | 'union' | 'enum'
  readonly name: string
  readonly signed: boolean
  /** Bytes of an integer. */
  readonly size: number
  /** Stars behind it. */
  readonly pointers: number
}

/** What the kernel supplies, as the text declares it. */
export interface ExternDeclaration {
  readonly name: string
  /** A kfunc's; `undefined` for a ksym, whose type nobody needs. */
  readonly prototype: { readonly returns: CType; readonly params: readonly CType[] } | undefined
}

const integers: ReadonlyMap<string, readonly [signed: boolean, size: number]> = new Map([
  ['u8', [false, 1]],
  ['u16', [false, 2]],
  ['u32', [false, 4]],
  ['u64', [false, 8]],
  ['s8', [true, 1]],
  ['s16', [true, 2]],
  ['s32', [true, 4]],
  ['s64', [true, 8]],
  ['bool', [false, 1]],
  ['char', [true, 1]],
  ['short', [true, 2]],
  ['int', [true, 4]],
  ['long', [true, 8]],
])

/** Parameters that a kfunc can have (kernel/bpf/btf.c, `MAX_BPF_FUNC_REG_ARGS`). */
const mostParams = 5

function cType(args: Arguments): CType {
  while (take(args, 'const')) continue
  const word = peek(args) ?? ''
  const integer = integers.get(word.replace(/^__(?=[us]\d)/, ''))
  let type: Omit<CType, 'pointers'>
  if (word === 'struct' || word === 'union' || word === 'enum') {
    args.next++
    type = { kind: word, name: name(args, 'the name of a type'), signed: false, size: 4 }
  } else if (word === 'void') {
    args.next++
    type = { kind: 'void', name: '', signed: false, size: 0 }
  } else if (integer !== undefined) {
    args.next++
    type = { kind: 'int', name: word, signed: integer[0], size: integer[1] }
  } else throw faultAt(args, 'a type: void, u8 to u64, s8 to s64, int, bool, or struct NAME')
  let pointers = 0
  while (take(args, '*') || take(args, 'const')) if (args.tokens[args.next - 1]?.text === '*') pointers++
  return { ...type, pointers }
}

/** `.kfunc PROTOTYPE`: a function of the kernel, as C declares it. */
export function kfuncDirective(assembly: Assembly, args: Arguments, place: Statement): void {
  const returns = cType(args)
  const at = args.tokens[args.next]?.at ?? args.end
  const label = name(args, 'the name of the function')
  if (!take(args, '(')) throw faultAt(args, '(')
  const params: CType[] = []
  if (peek(args) === 'void' && args.tokens[args.next + 1]?.text === ')') args.next++
  while (!take(args, ')')) {
    if (params.length > 0) comma(args)
    if (params.length === mostParams) throw faultAt(args, `at most ${mostParams} parameters`)
    params.push(cType(args))
    if (peek(args) !== ',' && peek(args) !== ')') name(args, 'the name of the parameter')
  }
  finish(args)
  declare(assembly, label, { returns, params }, place, at)
}

/** `.ksym NAME…`: addresses of the kernel. */
export function ksymDirective(assembly: Assembly, args: Arguments, place: Statement): void {
  do {
    const at = args.tokens[args.next]?.at ?? args.end
    declare(assembly, name(args, 'a name'), undefined, place, at)
  } while (take(args, ','))
  finish(args)
}

/** `.extern NAME…`: what another file or the kernel defines, and a section `.BTF` of the text describes. */
export function externDirective(assembly: Assembly, args: Arguments, place: Statement): void {
  do {
    const at = args.tokens[args.next]?.at ?? args.end
    symbolOf(assembly, name(args, 'a name'), place, at).extern = true
  } while (take(args, ','))
  finish(args)
}

function declare(
  assembly: Assembly,
  label: string,
  prototype: ExternDeclaration['prototype'],
  place: Statement,
  at: number,
): void {
  const symbol = symbolOf(assembly, label, place, at)
  if (assembly.externs.has(label)) throw new TextFault(at, 'a name that is not declared yet', quoted(label))
  symbol.extern = true
  symbol.bound = true
  if (symbol.binding === 'local') symbol.binding = 'global'
  assembly.externs.set(label, { name: label, prototype })
}
