import { isTsbpfError } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import { coreKinds } from '@tsbpf/object'
import type { CoreKind, CoreRelocation, FunctionSpec, LineInfo, ObjectSpec } from '@tsbpf/object'
import { newBudget } from './budget.ts'
import type { TargetBtf } from './candidates.ts'
import { newCandidateCache } from './candidates.ts'
import type { CoreResult } from './core-result.ts'
import { errors } from './errors.ts'
import { failedResult, resultOf } from './make-result.ts'
import type { Code, Facts } from './make-result.ts'
import { newMemberIndex } from './members.ts'
import type { InsnEditor, Patched } from './patch.ts'
import { editInsns, heldValue, patchInsn, slotsAt } from './patch.ts'
import type { OnFit, ResolveState } from './resolve.ts'
import { newCoreTypes, resolveRelocation } from './resolve.ts'

/** What to do with a relocation that fails: note it in its result and go on, or throw its error. */
export type OnFailure = 'collect' | 'throw'

/** Options of {@link relocate}. */
export interface RelocateOptions {
  /**
   * What to relocate to. Candidates come from the one named `vmlinux`, else from the first; the others (modules,
   * whose BTF is split from it) are asked only for types of which that one has no candidate, as in libbpf.
   */
  readonly targets: readonly TargetBtf[]
  /**
   * Functions to relocate: those of the programs that will be loaded, and subprograms, for what libbpf would do. All
   * unless given, and then programs that are not loaded by default (`?` in the section name) come last, so that they
   * rule out no candidate for the others.
   */
  readonly include?: (fn: FunctionSpec) => boolean
  /** `collect` unless given. */
  readonly onFailure?: OnFailure
}

/** Options of {@link relocateInsns}. */
export interface RelocateInsnsOptions {
  /** BTF that the relocations' types are in. */
  readonly local: Btf
  /** As in {@link RelocateOptions}. */
  readonly targets: readonly TargetBtf[]
  /** Byte order of the instructions, and of the machine they are for. */
  readonly littleEndian: boolean
  /** Name of the function, for results and errors; `insns` unless given. */
  readonly program?: string
  readonly lineInfo?: readonly LineInfo[]
  /** `collect` unless given. */
  readonly onFailure?: OnFailure
}

function newState(
  local: Btf,
  targets: readonly TargetBtf[],
  littleEndian: boolean,
  onFit?: OnFit,
): ResolveState {
  const budget = newBudget()
  return {
    local,
    littleEndian,
    budget,
    onFit,
    members: newMemberIndex(budget),
    candidates: newCandidateCache(targets),
    types: newCoreTypes(),
  }
}

/**
 * Relocates one function's instructions, without an ObjectSpec around them.
 *
 * `insns` is never written to: it is copied once, when the first instruction changes, and returned as it is where
 * none does. Relocations are applied in the order given. A failed one leaves its instruction alone.
 *
 * Throws only with `onFailure: 'throw'`, `CORE_…`, and `CORE_NO_TARGET` where there are relocations but no targets.
 * Source: tools/lib/bpf/relo_core.c.
 *
 * @example
 * ```ts
 * import { relocateInsns } from '@tsbpf/core-reloc'
 * import type { Btf } from '@tsbpf/btf'
 * import type { CoreRelocation } from '@tsbpf/object'
 * declare const insns: Uint8Array, relocations: CoreRelocation[], local: Btf, kernel: Btf
 * const targets = [{ name: 'vmlinux', btf: kernel }]
 * const done = relocateInsns(insns, relocations, { local, targets, littleEndian: true })
 * ```
 */
export function relocateInsns(
  insns: Uint8Array,
  relocations: readonly CoreRelocation[],
  options: RelocateInsnsOptions,
): { readonly insns: Uint8Array; readonly results: readonly CoreResult[] } {
  const { local, targets, littleEndian, program = 'insns', lineInfo = [], onFailure = 'collect' } = options
  if (relocations.length === 0) return { insns, results: [] }
  if (targets.length === 0) throw errors.CORE_NO_TARGET({ program })
  const state = newState(local, targets, littleEndian)
  return relocateCode(state, { name: program, insns, coreRelocations: relocations, lineInfo }, onFailure)
}

/**
 * Relocates an object's functions to a kernel's BTF, as libbpf 1.5 does, and says what became of every relocation.
 *
 * The spec that comes back has the patched instructions, and of the CO-RE relocations only the failed ones; functions
 * without relocations, and a spec without any, are the ones given. Results are in the order of relocating: section by
 * section as their first functions stand in the source, programs that are not loaded by default last. The order matters
 * where candidates of one local type differ: as in libbpf, one that did not fit a relocation that others fit is not
 * tried for the relocations of that local type that follow.
 *
 * Failed relocations are collected in the results. Throws `CORE_NO_BTF` and `CORE_NO_TARGET` where there are
 * relocations but no BTF to relocate from or to, and with `onFailure: 'throw'` the first failure, whose message names
 * program, instruction, source line, local type, access and candidates. Source: tools/lib/bpf/relo_core.c, and
 * bpf_object__relocate_core in tools/lib/bpf/libbpf.c.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseBtf } from '@tsbpf/btf'
 * import { parseObject } from '@tsbpf/object'
 * import { explain, relocate } from '@tsbpf/core-reloc'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * const btf = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf }] })
 * for (const result of results) console.log(explain(result))
 * ```
 */
export function relocate(
  spec: ObjectSpec,
  options: RelocateOptions,
): { readonly spec: ObjectSpec; readonly results: readonly CoreResult[] } {
  return relocateWatched(spec, options)
}

/** {@link relocate}, telling `onFit` of every candidate that fits. */
export function relocateWatched(
  spec: ObjectSpec,
  options: RelocateOptions,
  onFit?: OnFit,
): { readonly spec: ObjectSpec; readonly results: readonly CoreResult[] } {
  const { targets, include, onFailure = 'collect' } = options
  const needy = inOrder(spec, include === undefined)
  const work = include === undefined ? needy : needy.filter(include)
  const [first] = work
  if (first === undefined) return { spec, results: [] }
  if (spec.btf === undefined) throw errors.CORE_NO_BTF({ program: first.name })
  if (targets.length === 0) throw errors.CORE_NO_TARGET({ program: first.name })
  const state = newState(spec.btf, targets, spec.byteOrder === 'little', onFit)
  const done = new Map<FunctionSpec, Pick<FunctionSpec, 'insns' | 'coreRelocations'>>()
  const results: CoreResult[] = []
  for (const fn of work) {
    const relocated = relocateCode(state, fn, onFailure)
    for (const result of relocated.results) results.push(result)
    const left = fn.coreRelocations.filter((_, i) => relocated.results[i]?.status === 'failed')
    done.set(fn, { insns: relocated.insns, coreRelocations: left })
  }
  const replace = <F extends FunctionSpec>(fn: F): F => {
    const changed = done.get(fn)
    return changed === undefined ? fn : { ...fn, ...changed }
  }
  return {
    spec: { ...spec, programs: spec.programs.map(replace), subprograms: spec.subprograms.map(replace) },
    results,
  }
}

/** A function that has relocations, and what decides when its turn comes. */
interface Turn {
  readonly fn: FunctionSpec
  /** Name of its section in the file. */
  readonly section: string
  readonly notLoaded: boolean
}

/**
 * Functions with relocations in the order of their sections in `.BTF.ext`, which libbpf follows. Compilers write sections
 * there in the order of their first functions in the source, and so number the FUNC types.
 */
function inOrder({ programs, subprograms }: ObjectSpec, notLoadedLast: boolean): FunctionSpec[] {
  /** The first function's number by section, and the sections in the order of this spec. */
  const firsts = new Map<string, number>()
  const turns: Turn[] = []
  const add = (fn: FunctionSpec, section: string, notLoaded: boolean): void => {
    firsts.set(section, Math.min(firsts.get(section) ?? Infinity, fn.btfFunc ?? Infinity))
    if (fn.coreRelocations.length > 0) turns.push({ fn, section, notLoaded })
  }
  for (const fn of subprograms) add(fn, fn.section, false)
  for (const fn of programs) {
    // The question mark is not in the section's name here, but in the file it makes another section.
    add(fn, fn.autoload ? fn.section : `?${fn.section}`, notLoadedLast && !fn.autoload)
  }
  const sections = [...firsts.keys()]
  turns.sort((a, b) => {
    if (a.notLoaded !== b.notLoaded) return a.notLoaded ? 1 : -1
    if (a.section === b.section) return a.fn.sectionOffset - b.fn.sectionOffset
    const [first = 0, second = 0] = [firsts.get(a.section), firsts.get(b.section)]
    return first === second ? sections.indexOf(a.section) - sections.indexOf(b.section) : first - second
  })
  return turns.map(({ fn }) => fn)
}

function relocateCode(
  state: ResolveState,
  code: Code,
  onFailure: OnFailure,
): { readonly insns: Uint8Array; readonly results: CoreResult[] } {
  const editor = openCode(state, code)
  const results = code.coreRelocations.map((relocation) => {
    const result = relocateOne(state, code, editor, relocation)
    if (result.error !== undefined && onFailure === 'throw') throw result.error
    return result
  })
  return { insns: editor?.view.bytes ?? code.insns, results }
}

/** `undefined` for bytes that are no instructions; each relocation then fails with that error. */
function openCode(state: ResolveState, code: Code): InsnEditor | undefined {
  try {
    return editInsns(code.insns, state.littleEndian)
  } catch (error) {
    if (isTsbpfError(error)) return undefined
    throw error
  }
}

function relocateOne(
  state: ResolveState,
  code: Code,
  editor: InsnEditor | undefined,
  relocation: CoreRelocation,
): CoreResult {
  const { insn } = relocation
  const known: CoreKind | undefined = coreKinds.byValue(relocation.kind)
  const kind = known?.name ?? coreKinds.format(relocation.kind)
  const { budget, littleEndian } = state
  const facts: Facts = {
    code,
    editor,
    relocation,
    kind,
    localType: { id: relocation.type, name: '', kind: 'void', source: 'object' },
    slots: 0,
    held: undefined,
    access: undefined,
    targetType: undefined,
    candidates: [],
    littleEndian,
  }
  let patched: Patched
  try {
    if (budget.spent !== undefined) throw budget.spent
    facts.localType = state.types.of(state.local, relocation.type, 'object')
    // Opened again, the instructions throw the error that openCode has kept to itself.
    const insns = editor ?? editInsns(code.insns, littleEndian)
    facts.slots = slotsAt(insns.view, insn)
    facts.held = heldValue(insns.view, insn)
    const decision = resolveRelocation(state, relocation, known, code.name, facts)
    patched = patchInsn(insns, insn, facts.held, decision)
  } catch (thrown) {
    if (!isTsbpfError(thrown)) throw thrown
    const failed = failedResult(facts, thrown, budget.spent)
    if (budget.steps < 0) budget.spent ??= failed.error
    return failed
  }
  return resultOf(facts, patched)
}
