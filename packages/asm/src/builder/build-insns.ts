import { encodeInsns, makeInsn, slotsOf } from '@tsbpf/isa'
import { builderErrors } from '../errors.ts'
import { placeOf, traceOf } from './call-site.ts'
import type { CpuLevel } from './cpu-level.ts'
import type { Program, Subprogram } from './definitions.ts'
import type { FunctionBody } from './insn-builder.ts'
import { layOut } from './lay-out.ts'
import type { PlacedInsn } from './lay-out.ts'
import { recordFunction } from './record-function.ts'
import type { FunctionCode, Reference } from './function-code.ts'

/** Options of {@link buildInsns}. */
export interface BuildInsnsOptions {
  /** Byte order; `true` unless given. */
  readonly littleEndian?: boolean
  /** What the instructions may use; `v4` unless given. */
  readonly cpu?: CpuLevel
}

/** The function and every subprogram that it reaches, depth first, each where it is first referred to. */
function reached(main: FunctionCode): readonly FunctionCode[] {
  const found = new Map<Program | Subprogram, FunctionCode>([[main.definition, main]])
  const visit = ({ items }: FunctionCode): void => {
    for (const item of items) {
      const definition = item.kind === 'insn' ? item.reference : undefined
      if (definition?.kind !== 'subprogram' || found.has(definition)) continue
      const code = recordFunction(definition)
      found.set(definition, code)
      visit(code)
    }
  }
  visit(main)
  return [...found.values()]
}

/** What a raw instruction says of a subprogram: its distance, as the kernel reads it. */
function point({ insn }: PlacedInsn, slot: number, target: number): PlacedInsn['insn'] {
  const distance = target - slot - 1
  return insn.op === 'lddw'
    ? makeInsn('lddw_func', { dst: insn.dst, imm: distance })
    : { ...insn, imm: distance }
}

/**
 * Builds raw instructions: those of a body, a program or a subprogram, and behind them every subprogram that they refer
 * to. For loads by hand, test runs and interpreters; maps and global variables need an object ({@link buildObject}).
 *
 * Errors: `ASM_NO_LABEL`, `ASM_JUMP_RANGE`, `ASM_NO_EXIT`, `ASM_CPU`, `ASM_UNRESOLVED`, and those of {@link InsnBuilder}.
 *
 * @example
 * ```ts
 * import { buildInsns, r0, r1 } from '@tsbpf/asm'
 * const insns = buildInsns(({ mov, jeq, label, exit }) => {
 *   mov(r0, 1)
 *   jeq(r1, 0, 'null')
 *   mov(r0, 2)
 *   label('null')
 *   exit()
 * })
 * console.log(insns.length) // 32
 * ```
 */
export function buildInsns(
  main: FunctionBody | Program | Subprogram,
  options: BuildInsnsOptions = {},
): Uint8Array {
  const { littleEndian = true, cpu = 'v4' } = options
  const definition: Program | Subprogram =
    typeof main === 'function'
      ? {
          kind: 'program',
          name: 'the function',
          section: '',
          signature: {},
          body: main,
          trace: traceOf(buildInsns),
        }
      : main
  const starts = new Map<Reference | Program, number>()
  const placed: (readonly [at: number, one: PlacedInsn])[] = []
  let slots = 0
  for (const code of reached(recordFunction(definition))) {
    starts.set(code.definition, slots)
    const own = layOut(code, cpu)
    for (const one of own) placed.push([slots + one.slot, one])
    const last = own.at(-1)
    slots += last === undefined ? 0 : last.slot + slotsOf(last.insn)
  }
  const insns = placed.map(([slot, one]) => {
    const { reference, insn, item } = one
    if (reference === undefined) return insn
    const target = starts.get(reference)
    if (target !== undefined) return point(one, slot, target)
    const name =
      reference.kind === 'place' ? reference.global.name : (reference as { readonly name: string }).name
    const kind = reference.kind === 'place' ? 'global variable' : reference.kind
    throw builderErrors.ASM_UNRESOLVED({ place: placeOf(item.trace), kind, name })
  })
  return encodeInsns(insns, { littleEndian })
}
