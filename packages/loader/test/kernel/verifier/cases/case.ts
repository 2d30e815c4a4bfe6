import { buildObject, callLine, helpers, map, program, r0, r1, r10, r2, struct, u32, u64 } from '@tsbpf/asm'
import type { FunctionBody, InsnBuilder, MapDefinition } from '@tsbpf/asm'
import type { ObjectSpec } from '@tsbpf/object'

/** Kernels that the logs of all cases are recorded on. */
export const kernels = ['6.1', '6.12', '6.18'] as const
type Kernel = (typeof kernels)[number]

/** A program that a row of the table is about, and one that is mended. */
export interface VerifierCase {
  /** Id of the row in `verifierMessages`. */
  readonly row: string
  /** Section name; `tc` unless given. */
  readonly section?: string
  /** `GPL` unless given; the mended twin is always under the GPL. */
  readonly license?: string
  readonly bad: FunctionBody
  /** What asm would refuse: changes the instructions of the bad program. */
  readonly edit?: (insns: DataView) => void
  readonly fixed: FunctionBody
  /** The row's message comes only without CAP_PERFMON: the bad program is loaded by a process that lacks it. */
  readonly withoutPerfmon?: true
  /** The verifier walks a million instructions: it is recorded on the running kernel alone, not under emulation. */
  readonly slow?: true
  /** What other kernels do with the bad program: the id of another row, or `loads`, or `no kfunc`. */
  readonly on?: Partial<Readonly<Record<Kernel, string>>>
}

/** Section that a case is loaded as. */
function sectionOf({ section = 'tc' }: VerifierCase): string {
  return section
}

/** The object of a case's bad program, which is named `bad`. */
export function badObject(one: VerifierCase): ObjectSpec {
  const spec = object('bad', one, one.bad, one.license ?? 'GPL')
  const insns = spec.programs[0]!.insns
  one.edit?.(new DataView(insns.buffer, insns.byteOffset, insns.byteLength))
  return spec
}

/** The object of its mended twin, which is named `fixed`. */
export function fixedObject(one: VerifierCase): ObjectSpec {
  return object('fixed', one, one.fixed, 'GPL')
}

function object(name: string, one: VerifierCase, body: FunctionBody, license: string): ObjectSpec {
  return buildObject(
    { license, programs: [program(name, sectionOf(one), body)] },
    { resolveSite: callLine, cpu: 'v3' },
  )
}

/** Numbers of 64 bits; of an array, kernels from 6.15 on know that element 0 is there. */
export const values: MapDefinition = map('values', { type: 'hash', key: u32, value: u64, maxEntries: 1 })
/** Numbers that a lock guards. */
export const locked: MapDefinition = map('locked', {
  type: 'hash',
  key: u32,
  value: struct('guarded', { lock: struct('bpf_spin_lock', { val: u32 }), count: u64 }),
  maxEntries: 1,
})
export const ring: MapDefinition = map('ring', { type: 'ringbuf', maxEntries: 4096 })

/** Looks up element 0: r0 points to its value, or is NULL. */
export function lookup(b: InsnBuilder, which: MapDefinition = values): InsnBuilder {
  return b.stw(r10.at(-4), 0).lddw(r1, which).mov(r2, r10).add(r2, -4).call(helpers.map_lookup_elem)
}

/** Looks up element 0 and ends the program where there is none: r0 points to its value. */
export function found(b: InsnBuilder, which: MapDefinition = values): InsnBuilder {
  return lookup(b, which).jne(r0, 0, 'found').mov(r0, 0).exit().label('found')
}

/** Returns 0. */
export function done(b: InsnBuilder): InsnBuilder {
  return b.mov(r0, 0).exit()
}
