import type { Insn, InsnOperands } from '@tsbpf/isa'
import { makeInsn, rowOf } from '@tsbpf/isa'
import { builderErrors } from '../errors.ts'
import { placeOf, traceOf } from './call-site.ts'
import type { Trace } from './call-site.ts'
import type { Program, Subprogram } from './definitions.ts'
import { labelName } from './function-code.ts'
import type { CodeItem, FunctionCode, Reference } from './function-code.ts'
import type { InsnBuilder, LabelReference } from './insn-builder.ts'
import { formKey, mnemonics } from './operation.ts'
import type { Forms, Operation } from './operation.ts'
import { isInteger, readOperand, show } from './operand.ts'
import type { Operands } from './operand.ts'

type Method = (...args: readonly unknown[]) => InsnBuilder

/** What a call gives for a wide load or a call, beside numbers. */
interface Target {
  readonly kind?: string
  readonly id?: number
}

const isWidth = (value: unknown): value is { readonly bits: 32 | 64 } =>
  (value as { readonly kind?: unknown } | undefined)?.kind === 'register'

/** The form of a mnemonic that these operands ask for. */
function choose(forms: Forms, args: readonly unknown[]): Operation | undefined {
  const source = forms.has('64imm') || forms.has('32imm') ? (isWidth(args[1]) ? 'reg' : 'imm') : ''
  const register = args.find(isWidth)
  return forms.get(formKey(register?.bits ?? 64, source)) ?? forms.values().next().value
}

let table: ReadonlyMap<string, Forms> | undefined

/** Records one function: a builder that checks each call and keeps it. */
function recorder(items: CodeItem[]): InsnBuilder {
  const labels = new Map<LabelReference, Trace>()
  const methods: Record<string, Method> = {}
  const builder = methods as unknown as InsnBuilder

  const push = (
    trace: Trace,
    mnemonic: string,
    args: readonly unknown[],
    op: { readonly insn: Insn; readonly label?: LabelReference | undefined; readonly reference?: Reference },
  ): InsnBuilder => {
    items.push({
      kind: 'insn',
      trace,
      insn: op.insn,
      label: op.label,
      reference: op.reference,
      operation: () => `${mnemonic}(${args.map(show).join(', ')})`,
    })
    return builder
  }
  /** A method with what it does with its operands; errors and line info need to know the method itself. */
  const define = (
    name: string,
    run: (args: readonly unknown[], trace: Trace, refuse: Refuse) => InsnBuilder,
  ): void => {
    const method: Method = (...args) => {
      const trace = traceOf(method)
      return run(args, trace, (operand, expected) => {
        const actual = show(args[operand])
        const operands = { operand: `operand ${operand + 1}`, expected, actual }
        return builderErrors.ASM_OPERAND({ place: placeOf(trace), insn: name, ...operands })
      })
    }
    methods[name] = method
  }
  type Refuse = (operand: number, expected: string) => Error

  for (const [mnemonic, forms] of (table ??= mnemonics())) {
    define(mnemonic, (args, trace, refuse) => {
      const operation = choose(forms, args)
      const roles = operation?.roles ?? []
      if (operation === undefined || args.length > roles.length) {
        throw refuse(roles.length, roles.length === 0 ? 'no operand' : 'nothing more')
      }
      const operands: Operands = {}
      roles.forEach((role, i) => {
        readOperand(operation, role, args[i], operands, {
          refuse: (expected) => refuse(i, expected),
          place: () => placeOf(trace),
        })
      })
      const { label, ...fields } = operands
      return push(trace, mnemonic, args, { insn: makeInsn(operation.row.name, fields), label })
    })
  }

  const target = (value: unknown): Target => (typeof value === 'object' && value !== null ? value : {})
  const lddw = table.get('lddw')?.get(formKey(64, ''))
  define('lddw', (args, trace, refuse) => {
    const [dst, value] = args
    const operands: Operands = {}
    if (lddw !== undefined) {
      readOperand(lddw, 'dst', dst, operands, {
        refuse: (expected) => refuse(0, expected),
        place: () => placeOf(trace),
      })
    }
    const wide = (imm64: bigint): InsnOperands => ({ ...operands, imm64 })
    const { kind } = target(value)
    if (kind === 'map' || kind === 'place' || kind === 'subprogram') {
      return push(trace, 'lddw', args, { insn: makeInsn('lddw', wide(0n)), reference: value as Reference })
    }
    if (kind === 'global') {
      const reference = (value as { at(offset: number): Reference }).at(0)
      return push(trace, 'lddw', args, { insn: makeInsn('lddw', wide(0n)), reference })
    }
    if (!isInteger(value)) throw refuse(1, 'an integer, a map, a global variable or a subprogram')
    const imm64 = BigInt(value)
    if (imm64 < -(1n << 63n) || imm64 >= 1n << 64n) {
      const place = placeOf(trace)
      throw builderErrors.ASM_IMMEDIATE({
        place,
        insn: 'lddw',
        operand: 'imm',
        expected: 'at most 64 bits',
        actual: show(value),
      })
    }
    return push(trace, 'lddw', args, { insn: makeInsn('lddw', wide(imm64)) })
  })

  define('call', (args, trace, refuse) => {
    const [callee] = args
    const { kind, id } = target(callee)
    if (kind === 'subprogram' || kind === 'kfunc') {
      // As compilers write it: what it leads to is the reference's to say.
      const insn = makeInsn('call_subprogram', { imm: -1 })
      return push(trace, 'call', args, { insn, reference: callee as Reference })
    }
    const imm = kind === 'helper' ? id : callee
    if (typeof imm !== 'number' || !Number.isInteger(imm) || imm < 0 || imm > 0x7fff_ffff) {
      throw refuse(0, 'a helper such as helpers.ktime_get_ns or its number, a subprogram or a kfunc')
    }
    return push(trace, 'call', args, { insn: makeInsn('call', { imm }) })
  })

  define('label', ([label], trace, refuse) => {
    if (typeof label !== 'string' && target(label).kind !== 'label') throw refuse(0, 'a label')
    const name = label as LabelReference
    const first = labels.get(name)
    if (first !== undefined) {
      const context = { place: placeOf(trace), what: 'label', name: labelName(name), first: placeOf(first) }
      throw builderErrors.ASM_DUPLICATE(context)
    }
    labels.set(name, trace)
    items.push({ kind: 'label', label: name, trace })
    return builder
  })

  define('insn', (args, trace, refuse) => {
    const insn = args[0] as Insn
    if (rowOf(insn.op as string)?.target !== undefined || insn.op === 'lddw_func') {
      throw refuse(0, 'an instruction without a distance to others')
    }
    return push(trace, 'insn', [insn.op], { insn })
  })
  return builder
}

const recorded = new WeakMap<Program | Subprogram, FunctionCode>()

/** Calls the body of a function, the first time that it is asked for. */
export function recordFunction(definition: Program | Subprogram): FunctionCode {
  let code = recorded.get(definition)
  if (code === undefined) {
    const items: CodeItem[] = []
    definition.body(recorder(items))
    code = { definition, items }
    recorded.set(definition, code)
  }
  return code
}
