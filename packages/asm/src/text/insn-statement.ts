import { isTsbpfError } from '@tsbpf/base'
import { encodeInsn, makeInsn, parseInsns, slotsOf } from '@tsbpf/isa'
import type { Insn, TextProblem } from '@tsbpf/isa'
import { argumentsOf, TextFault } from './arguments.ts'
import { emit, symbolOf } from './assembly.ts'
import type { Assembly, Fixup } from './assembly.ts'
import { expression, numericName, symbolExpression } from './expression.ts'
import { isCode } from './section-directives.ts'
import type { Statement } from './statements.ts'

const word = String.raw`(?:[A-Za-z_.$][\w.$]*|"(?:[^"\\]|\\.)*")`
const place = String.raw`(${word}(?:\s*[+-]\s*\w+)*)`

/** A wide load of the address of something with a name: `r1 = counts ll`, and `lddw %r1, counts`. */
const wideByName = new RegExp(
  String.raw`^(?:\d+:\s*)?(?:\(18\)\s*)?(?:r(\d+)\s*=\s*${place}\s+ll|lddw\s+%?r(\d+)\s*,\s*${place})$`,
)

/** A call of something with a name. */
const callByName = new RegExp(String.raw`^(?:\d+:\s*)?(?:\(85\)\s*)?call\s+(?:(?:local|helper)\s+)?${place}$`)

/** A numeric label at the end: `goto 1f`. */
const numericTarget = /(^|[\s,+])(\d+)([fb])$/

/** Registers have four bits, and names that look like them are none. */
const register = /^[rw]\d+$/

/** Takes the label of an instruction as it comes, for later. */
function labelRecorder(): { readonly labels: ReadonlyMap<string, number>; used: () => string | undefined } {
  let used: string | undefined
  const labels = new Map<string, number>()
  labels.get = (name: string) => {
    used = name
    return 0
  }
  return { labels, used: () => used }
}

/** Reads an instruction of the dialect into the current section; what has a name there is filled in later. */
export function readInsn(assembly: Assembly, statement: Statement): void {
  const { section, dialect } = assembly
  const { text, at } = statement
  if (section.skipped) return
  if (!isCode(section.flags)) {
    throw new TextFault(
      at,
      `a directive: section ${section.name} holds no code`,
      JSON.stringify(text.slice(0, 64)),
    )
  }
  if (section.size % 8 !== 0) {
    throw new TextFault(
      at,
      'an instruction at a multiple of 8 bytes: put .p2align 3 before it',
      `byte ${section.size}`,
    )
  }
  section.firstInsn ??= statement

  const wide = wideByName.exec(text)
  if (wide !== null) {
    const operand = wide[2] ?? wide[4] ?? ''
    const start = at + text.lastIndexOf(operand)
    const dst = Number(wide[1] ?? wide[3])
    if (dst > 15) throw new TextFault(at, 'a register from r0 to r10', `r${dst}`)
    if (!register.test(operand)) {
      const args = argumentsOf(operand, start)
      const value = expression(assembly, args, statement)
      put(assembly, statement, makeInsn('lddw', { dst, imm64: 0n }), { kind: 'wide', value, at: start })
      return
    }
  }
  const call = callByName.exec(text)
  const callee = call?.[1]
  if (callee !== undefined && !register.test(callee)) {
    const start = at + text.lastIndexOf(callee)
    const value = expression(assembly, argumentsOf(callee, start), statement)
    put(assembly, statement, makeInsn('call_subprogram', { imm: -1 }), { kind: 'call', value, at: start })
    return
  }

  const recorder = labelRecorder()
  const numeric = dialect === 'verifier' ? null : numericTarget.exec(text)
  const named =
    numeric === null ? text : `${text.slice(0, numeric.index + (numeric[1] ?? '').length)}.Lnumeric`
  let insn: Insn | undefined
  try {
    ;[insn] = parseInsns(named, { dialect, labels: recorder.labels }).insns
  } catch (error) {
    if (!isTsbpfError(error, 'ISA_TEXT')) throw error
    const [problem] = error.context['problems'] as readonly TextProblem[]
    if (problem === undefined) throw error
    throw new TextFault(at + problem.column - 1, problem.expected, problem.actual, problem.suggestion)
  }
  if (insn === undefined) return
  if (insn.op === 'exit') section.firstExit ??= section.size
  const label = recorder.used()
  if (label === undefined) {
    put(assembly, statement, insn)
    return
  }
  const start = at + (numeric === null ? text.lastIndexOf(label) : numeric.index + (numeric[1] ?? '').length)
  const target = numeric === null ? label : numericName(assembly, numeric[2] ?? '', numeric[3] ?? '')
  const kind = insn.op === 'call_subprogram' ? 'call' : 'jump'
  put(assembly, statement, insn, {
    kind,
    value: symbolExpression(symbolOf(assembly, target, statement, start)),
    at: start,
  })
}

function put(
  assembly: Assembly,
  statement: Statement,
  insn: Insn,
  open?: Pick<Fixup, 'kind' | 'value' | 'at'>,
): void {
  const { littleEndian } = assembly
  const offset = emit(assembly, encodeInsn(insn, { littleEndian }), statement.at)
  if (open === undefined) return
  assembly.section.fixups.push({ ...open, offset, size: slotsOf(insn) * 8, insn, place: statement })
}
