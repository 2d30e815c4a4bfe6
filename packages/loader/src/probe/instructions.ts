import { makeInsn } from '@tsbpf/isa'
import type { Insn } from '@tsbpf/isa'
import type { Sys } from '@tsbpf/sys'
import { progTypes } from '@tsbpf/uapi'
import { cached, tryLoad } from './evidence.ts'
import type { FeatureEvidence } from './evidence.ts'

const zero = makeInsn('mov64_imm', { dst: 0, imm: 0 })
const exit = makeInsn('exit')
const onStack = makeInsn('stdw', { dst: 10, off: -8, imm: 1 })

/** Programs that need what their name says. */
const programs = {
  v1: [zero, exit],
  v2: [zero, makeInsn('jlt_imm', { dst: 0, imm: 1, off: 0 }), exit],
  v3: [zero, makeInsn('jlt32_imm', { dst: 0, imm: 1, off: 0 }), exit],
  v4: [
    zero,
    onStack,
    makeInsn('ldxsb', { dst: 1, src: 10, off: -8 }),
    makeInsn('movsx64_8', { dst: 2, src: 1 }),
    makeInsn('bswap64', { dst: 2 }),
    makeInsn('sdiv64_imm', { dst: 2, imm: 3 }),
    makeInsn('gotol', { imm: 0 }),
    exit,
  ],
  may_goto: [zero, makeInsn('may_goto', { off: 0 }), exit],
  load_acquire: [zero, onStack, makeInsn('load_acq_dw', { dst: 1, src: 10, off: -8 }), exit],
  bounded_loops: [
    zero,
    makeInsn('add64_imm', { dst: 0, imm: 1 }),
    makeInsn('jlt_imm', { dst: 0, imm: 10, off: -2 }),
    exit,
  ],
  large_programs: [...Array.from({ length: 4096 }, () => zero), exit],
} as const satisfies Readonly<Record<string, readonly Insn[]>>

/** What {@link probeInstructions} can ask for. */
export type InstructionLevel = keyof typeof programs

/** All levels: `v1` to `v4` as clang's -mcpu names them, and what came without a name. */
export const instructionLevels = Object.keys(programs) as readonly InstructionLevel[]

/**
 * Whether this kernel takes the instructions of a level: `v2` unsigned comparisons (4.14), `v3` 32-bit jumps (5.1), `v4`
 * sign extension, byte swap, signed division and long jumps (6.6), `may_goto` (6.9), `load_acquire` and store-release
 * (6.15), `bounded_loops` (5.3), `large_programs` of more than 4096 instructions (5.2). Asked once for each door.
 * Throws LOADER_PROBE_DENIED.
 */
export function probeInstructions(sys: Sys, level: InstructionLevel): FeatureEvidence {
  return cached(sys, `instructions ${level}`, () => {
    const tried = `load a socket_filter of ${programs[level].length} instructions with ${level}`
    const type = { prog_type: progTypes.value('socket_filter') }
    const { loaded, answer } = tryLoad(sys, tried, programs[level], type)
    return { supported: loaded, tried, answer }
  })
}
